package openid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
)

// Config names an issuer and what its tokens say. Issuer and Audience are
// needed.
type Config struct {
	Issuer    string // https URL, as tokens have it
	Audience  string // a token must be meant for it
	Authority []byte // PEM certificates that vouch for the issuer; the system's when empty

	UserClaim  string // default sub
	RolesClaim string // default roles; of nested objects joined by dots
	// RoleMap gives roles to values of the roles' claim; when nil a value is
	// the name of a role.
	RoleMap map[string][]server.Role

	Logger *slog.Logger
	Now    func() time.Time // time.Now when nil
}

const (
	// refreshAfter is how old the issuer's keys get: one it withdrew is trusted
	// no longer than that, unless the issuer cannot be reached.
	refreshAfter = 5 * time.Minute
	// staleAfter is how old they get when it cannot be reached.
	staleAfter = time.Hour
	// retryAfter spares an issuer that failed.
	retryAfter = 2 * time.Second
	// answerWithin bounds one request to the issuer.
	answerWithin = 5 * time.Second
)

// Issuer authenticates by the tokens of one issuer.
type Issuer struct {
	config Config
	client *http.Client

	mutex    sync.Mutex
	verifier *oidc.IDTokenVerifier
	learnt   time.Time // when the verifier was made
	asking   bool      // in the background
	failed   time.Time // when the issuer failed last
	failure  error
}

var _ server.Authenticator = (*Issuer)(nil)

// New makes an authenticator. It does not ask the issuer yet.
func New(config Config) (*Issuer, error) {
	if err := CheckIssuer(config.Issuer); err != nil {
		return nil, err
	}
	if config.Audience == "" {
		return nil, fleet.Errorf(fleet.ErrInvalid, "tokens need an audience")
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(config.Authority) > 0 {
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(config.Authority) {
			return nil, fleet.Errorf(fleet.ErrInvalid, "the issuer's authority has no PEM certificate")
		}
	}
	if config.UserClaim == "" {
		config.UserClaim = "sub"
	}
	if config.RolesClaim == "" {
		config.RolesClaim = "roles"
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: settings, ForceAttemptHTTP2: true,
		MaxIdleConns: 2, IdleConnTimeout: time.Minute,
	}
	return &Issuer{config: config, client: &http.Client{Transport: strict{transport}, Timeout: answerWithin}}, nil
}

// CheckIssuer says what is wrong with an issuer's URL.
func CheckIssuer(issuer string) error {
	parsed, err := url.Parse(issuer)
	if err != nil || parsed.Scheme != "https" || parsed.Host == "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return fleet.Errorf(fleet.ErrInvalid, "want a URL such as https://login.example.com/realm, got %q", issuer)
	}
	return nil
}

// strict makes every answer but a good one over TLS a failure to reach the
// issuer, so that an outage is told apart from a bad token.
type strict struct{ next http.RoundTripper }

func (s strict) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "https" {
		return nil, fmt.Errorf("%s is no https URL", request.URL.Redacted())
	}
	response, err := s.next.RoundTrip(request)
	if err != nil || response.StatusCode < http.StatusBadRequest {
		return response, err
	}
	response.Body.Close()
	return nil, fmt.Errorf("the issuer answers %s", response.Status)
}

// Ping reports whether the issuer's keys are, or can be, known.
func (i *Issuer) Ping(ctx context.Context) error {
	_, err := i.learn(ctx)
	return err
}

// learn gives what tokens are verified with. When that is old the issuer is
// asked again, meanwhile and as long as it fails what is known serves on.
func (i *Issuer) learn(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	now := i.config.Now()
	age := now.Sub(i.learnt)
	mayAsk := !i.asking && (i.failure == nil || now.Sub(i.failed) >= retryAfter)
	switch {
	case i.verifier != nil && age < refreshAfter:
	case i.verifier != nil && age < staleAfter:
		if mayAsk {
			i.asking = true
			go i.askAgain(context.WithoutCancel(ctx), now)
		}
	default:
		if mayAsk {
			i.note(now)(i.ask(context.WithoutCancel(ctx)))
		}
		if i.failure != nil || i.asking {
			return nil, fleet.Errorf(fleet.ErrUnavailable, "the issuer of identities cannot be reached")
		}
	}
	return i.verifier, nil
}

func (i *Issuer) askAgain(ctx context.Context, now time.Time) {
	verifier, err := i.ask(ctx)
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.asking = false
	i.note(now)(verifier, err)
}

// note keeps what the issuer answered when it was asked.
func (i *Issuer) note(asked time.Time) func(*oidc.IDTokenVerifier, error) {
	return func(verifier *oidc.IDTokenVerifier, err error) {
		if i.failure = err; err != nil {
			i.failed = asked
			i.config.Logger.Warn("the issuer of identities cannot be asked", "issuer", i.config.Issuer, "error", err)
			return
		}
		i.verifier, i.learnt = verifier, asked
	}
}

// ask discovers where the issuer keeps its keys and how it signs.
func (i *Issuer) ask(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, i.client), answerWithin)
	defer cancel()
	provider, err := oidc.NewProvider(ctx, i.config.Issuer)
	if err != nil {
		return nil, err
	}
	var found struct {
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := provider.Claims(&found); err != nil {
		return nil, err
	}
	algorithms := slices.DeleteFunc(found.Algorithms, func(name string) bool { return !slices.Contains(algorithms, name) })
	return oidc.NewVerifier(i.config.Issuer, keys{oidc.NewRemoteKeySet(ctx, found.Keys)}, &oidc.Config{
		ClientID: i.config.Audience, SupportedSigningAlgs: algorithms, Now: i.config.Now,
	}), nil
}

// algorithms are those by which only the issuer can sign.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// keys tells, through the context, when a signature could not be verified
// because the issuer did not give its keys; the library's error does not.
type keys struct{ *oidc.RemoteKeySet }

type outageKey struct{}

func (k keys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.RemoteKeySet.VerifySignature(ctx, token)
	var away *url.Error
	if outage, watched := ctx.Value(outageKey{}).(*bool); watched && errors.As(err, &away) {
		*outage = true
	}
	return payload, err
}

// Authenticate implements server.Authenticator. Why a token is refused is for
// the log: whoever sends it may be anybody.
func (i *Issuer) Authenticate(ctx context.Context, header http.Header) (server.Identity, error) {
	raw, err := server.BearerToken(header)
	if err != nil {
		return server.Identity{}, err
	}
	verifier, err := i.learn(ctx)
	if err != nil {
		return server.Identity{}, err
	}
	var outage bool
	token, err := verifier.Verify(context.WithValue(ctx, outageKey{}, &outage), raw)
	var expired *oidc.TokenExpiredError
	switch {
	case outage:
		return server.Identity{}, fleet.Errorf(fleet.ErrUnavailable, "the issuer of identities cannot be reached")
	case errors.As(err, &expired):
		return server.Identity{}, fleet.Errorf(fleet.ErrDenied, "the token has expired").Advise("sign in again")
	case err != nil:
		i.config.Logger.InfoContext(ctx, "a token was refused", "issuer", i.config.Issuer, "error", err)
		return server.Identity{}, fleet.Errorf(fleet.ErrDenied, "the token is not accepted")
	}
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return server.Identity{}, fleet.Errorf(fleet.ErrDenied, "the token's claims are not understood")
	}
	return i.identity(claims)
}
