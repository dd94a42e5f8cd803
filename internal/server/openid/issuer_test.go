package openid_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
	"github.com/meridian-fleet/meridian/internal/server/openid"
)

const audience = "meridian"

// issuer is an OpenID Connect issuer on this machine, over real TLS.
type issuer struct {
	*httptest.Server
	mutex sync.Mutex
	keys  []jose.JSONWebKey // the public ones are published
	away  bool
	asked int
	clock time.Time
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{clock: time.Now()}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.answer(w, map[string]any{
			"issuer": i.URL, "jwks_uri": i.URL + "/keys", "authorization_endpoint": i.URL + "/a", "token_endpoint": i.URL + "/t",
			"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.mutex.Lock()
		published := jose.JSONWebKeySet{}
		for _, key := range i.keys {
			published.Keys = append(published.Keys, key.Public())
		}
		i.mutex.Unlock()
		i.answer(w, published)
	})
	i.Server = httptest.NewTLSServer(mux)
	t.Cleanup(i.Close)
	i.rotate(t, "first")
	return i
}

func (i *issuer) answer(w http.ResponseWriter, value any) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.asked++
	if i.away {
		http.Error(w, "away", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (i *issuer) set(change func()) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	change()
}

func (i *issuer) now() time.Time {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.clock
}

// rotate makes a new key the only one published.
func (i *issuer) rotate(t *testing.T, id string) jose.JSONWebKey {
	t.Helper()
	key := newKey(t, id)
	i.set(func() { i.keys = []jose.JSONWebKey{key} })
	return key
}

func newKey(t *testing.T, id string) jose.JSONWebKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: private, KeyID: id, Algorithm: "ES256", Use: "sig"}
}

// claims of a good token, with changes; a nil value takes one away.
func (i *issuer) claims(changes map[string]any) map[string]any {
	claims := map[string]any{
		"iss": i.URL, "aud": audience, "sub": "ann", "exp": i.now().Add(time.Hour).Unix(), "iat": i.now().Unix(), "roles": []string{"viewer"},
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

func (i *issuer) token(t *testing.T, changes map[string]any) string {
	t.Helper()
	return sign(t, jose.ES256, i.keys[0], i.claims(changes))
}

func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// authenticator trusts the issuer.
func (i *issuer) authenticator(t *testing.T, change func(*openid.Config)) *openid.Issuer {
	t.Helper()
	config := openid.Config{Issuer: i.URL, Audience: audience, Authority: i.authority(), Now: i.now}
	if change != nil {
		change(&config)
	}
	authenticator, err := openid.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return authenticator
}

func (i *issuer) authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate().Raw})
}

func authenticate(t *testing.T, authenticator server.Authenticator, token string) (server.Identity, error) {
	t.Helper()
	return authenticator.Authenticate(t.Context(), http.Header{"Authorization": {"Bearer " + token}})
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	mapped := func(c *openid.Config) {
		c.UserClaim, c.RolesClaim = "email", "realm.groups"
		c.RoleMap = map[string][]server.Role{"officers": {server.Compliance}, "sre": {server.Operator, server.Admin}}
	}
	for name, test := range map[string]struct {
		config func(*openid.Config)
		claims map[string]any
		want   string // user and roles; empty: denied
	}{
		"as it is":            {nil, nil, "ann [viewer]"},
		"several audiences":   {nil, map[string]any{"aud": []string{"other", audience}}, "ann [viewer]"},
		"one role as text":    {nil, map[string]any{"roles": "approver"}, "ann [approver]"},
		"roles twice":         {nil, map[string]any{"roles": []string{"admin", "viewer", "admin"}}, "ann [admin viewer]"},
		"unknown role":        {nil, map[string]any{"roles": []any{"king", 7, nil, "Admin", "admin operator"}}, "ann []"},
		"no roles":            {nil, map[string]any{"roles": nil}, "ann []"},
		"roles of other form": {nil, map[string]any{"roles": map[string]any{"admin": true}}, "ann []"},
		"no user":             {nil, map[string]any{"sub": ""}, ""},
		"a user of spaces":    {nil, map[string]any{"sub": "ann "}, ""},
		"a user of lines":     {nil, map[string]any{"sub": "ann\nbob"}, ""},
		"an endless user":     {nil, map[string]any{"sub": strings.Repeat("a", 257)}, ""},
		"groups": {mapped, map[string]any{"email": "ann@example.com", "email_verified": true, "realm": map[string]any{"groups": []string{"sre", "x"}}},
			"ann@example.com [operator admin]"},
		"role names are no groups": {mapped, map[string]any{"email": "ann@example.com", "email_verified": true, "realm": map[string]any{"groups": []string{"admin"}}},
			"ann@example.com []"},
		"a claim with dots":           {mapped, map[string]any{"email": "a@b", "email_verified": true, "realm.groups": []string{"officers"}}, "a@b [compliance]"},
		"an address nobody verified":  {mapped, map[string]any{"email": "ann@example.com"}, ""},
		"an address that was refused": {mapped, map[string]any{"email": "ann@example.com", "email_verified": "true"}, ""},
		"no address":                  {mapped, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			identity, err := authenticate(t, i.authenticator(t, test.config), i.token(t, test.claims))
			if test.want == "" {
				if !errors.Is(err, fleet.ErrDenied) || identity.User != "" || identity.Roles != nil {
					t.Errorf("got %v, %v", identity, err)
				}
				return
			}
			if got := fmt.Sprint(identity.User, " ", identity.Roles); err != nil || got != test.want {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
		})
	}
}

func TestTokensThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	authenticator := i.authenticator(t, nil)
	good := i.token(t, nil)
	parts := strings.Split(good, ".")
	text := func(value string) string { return base64.RawURLEncoding.EncodeToString([]byte(value)) }
	published, err := json.Marshal(i.keys[0].Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"another issuer":        i.token(t, map[string]any{"iss": "https://elsewhere.example.com"}),
		"no issuer":             i.token(t, map[string]any{"iss": nil}),
		"another audience":      i.token(t, map[string]any{"aud": "somebody-else"}),
		"no audience":           i.token(t, map[string]any{"aud": nil}),
		"expired":               i.token(t, map[string]any{"exp": i.now().Add(-time.Second).Unix()}),
		"without end":           i.token(t, map[string]any{"exp": nil}),
		"not yet":               i.token(t, map[string]any{"nbf": i.now().Add(time.Hour).Unix()}),
		"another key":           sign(t, jose.ES256, newKey(t, "first"), i.claims(nil)),
		"a key of another name": sign(t, jose.ES256, newKey(t, "second"), i.claims(nil)),
		"a shared secret":       sign(t, jose.HS256, published, i.claims(nil)),
		"unsigned":              text(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".",
		"signature cut":         parts[0] + "." + parts[1] + ".",
		"claims exchanged":      parts[0] + "." + text(`{"iss":"`+i.URL+`","aud":"meridian","sub":"eve","exp":9999999999,"roles":["admin"]}`) + "." + parts[2],
		"no token":              "secret",
		"dots":                  "a.b.c",
		"empty":                 "",
	} {
		t.Run(name, func(t *testing.T) {
			identity, err := authenticate(t, authenticator, token)
			if !errors.Is(err, fleet.ErrDenied) || identity.User != "" {
				t.Errorf("got %v, %v", identity, err)
			}
			if err != nil && (strings.Contains(err.Error(), audience) || strings.Contains(err.Error(), i.URL)) {
				t.Errorf("strangers are told %v", err)
			}
		})
	}
	if _, err := authenticate(t, authenticator, good); err != nil {
		t.Errorf("the good token, after all that: %v", err)
	}
}

func TestKeysAreRefreshed(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	authenticator := i.authenticator(t, nil)
	old := i.token(t, map[string]any{"exp": i.now().Add(24 * time.Hour).Unix()})
	if _, err := authenticate(t, authenticator, old); err != nil {
		t.Fatal(err)
	}
	i.rotate(t, "second")
	if _, err := authenticate(t, authenticator, i.token(t, nil)); err != nil {
		t.Errorf("a token by a new key: %v", err)
	}
	fresh := i.authenticator(t, nil)
	i.rotate(t, "third")
	third := i.token(t, map[string]any{"exp": i.now().Add(24 * time.Hour).Unix()})
	if _, err := authenticate(t, fresh, third); err != nil {
		t.Fatal(err)
	}
	i.rotate(t, "fourth") // the third one was stolen, and withdrawn
	i.set(func() { i.clock = i.clock.Add(6 * time.Minute) })
	await(t, func() bool { _, err := authenticate(t, fresh, third); return errors.Is(err, fleet.ErrDenied) })
}

// await asks until something is so; what makes it so runs in the background.
func await(t *testing.T, so func() bool) {
	t.Helper()
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	deadline := time.After(20 * time.Second)
	for !so() {
		select {
		case <-ticks.C:
		case <-deadline:
			t.Fatal("it never is")
		}
	}
}

func TestIssuerThatIsAway(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	token := i.token(t, map[string]any{"exp": i.now().Add(24 * time.Hour).Unix()})
	i.set(func() { i.away = true })
	authenticator := i.authenticator(t, nil)
	for range 10 {
		if _, err := authenticate(t, authenticator, token); !errors.Is(err, fleet.ErrUnavailable) {
			t.Fatalf("away: %v", err)
		}
	}
	i.set(func() {
		if i.asked != 1 {
			t.Errorf("an issuer that is away was asked %d times at once", i.asked)
		}
	})
	if err := authenticator.Ping(t.Context()); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("ping: %v", err)
	}
	i.set(func() { i.away, i.clock = false, i.clock.Add(3*time.Second) })
	if _, err := authenticate(t, authenticator, token); err != nil {
		t.Errorf("back: %v", err)
	}
	if err := authenticator.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	i.set(func() { i.away, i.clock = true, i.clock.Add(30*time.Minute) })
	if _, err := authenticate(t, authenticator, token); err != nil {
		t.Errorf("a short outage, with keys known: %v", err)
	}
	i.set(func() { i.clock = i.clock.Add(2 * time.Hour) })
	await(t, func() bool {
		_, err := authenticate(t, authenticator, token)
		return errors.Is(err, fleet.ErrUnavailable)
	})
}

func TestKeysThatCannotBeFetchedAreAnOutage(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	authenticator := i.authenticator(t, nil)
	if err := authenticator.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	i.set(func() { i.away = true })
	if _, err := authenticate(t, authenticator, i.token(t, nil)); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestIssuerNobodyVouchesFor(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	authenticator := i.authenticator(t, func(c *openid.Config) { c.Authority = nil })
	if _, err := authenticate(t, authenticator, i.token(t, nil)); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestConfigurationsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]openid.Config{
		"no TLS":       {Issuer: "http://127.0.0.1", Audience: "a"},
		"no URL":       {Issuer: "issuer", Audience: "a"},
		"no issuer":    {Audience: "a"},
		"no audience":  {Issuer: "https://issuer.example.com"},
		"no authority": {Issuer: "https://issuer.example.com", Audience: "a", Authority: []byte("x")},
	} {
		if _, err := openid.New(config); !errors.Is(err, fleet.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBesideTokens: static tokens work while the issuer is away, and the
// other way round each kind is found by its own authenticator.
func TestBesideTokens(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	tokens := server.NewTokens()
	tokens.Add("secret", server.Identity{User: "robot", Roles: []server.Role{server.Operator}})
	both := server.Authenticators{tokens, i.authenticator(t, nil)}
	robot, err := authenticate(t, both, "secret")
	if err != nil || robot.User != "robot" || !slices.Equal(robot.Roles, []server.Role{server.Operator}) {
		t.Errorf("a static token: %v, %v", robot, err)
	}
	if ann, err := authenticate(t, both, i.token(t, nil)); err != nil || ann.User != "ann" {
		t.Errorf("an issuer's token: %v, %v", ann, err)
	}
	if _, err := authenticate(t, both, "wrong"); !errors.Is(err, fleet.ErrDenied) {
		t.Errorf("neither: %v", err)
	}
	i.Close()
	away := server.Authenticators{tokens, i.authenticator(t, nil)}
	if _, err := authenticate(t, away, "secret"); err != nil {
		t.Errorf("a static token while the issuer is away: %v", err)
	}
	if _, err := authenticate(t, away, "a.b.c"); !errors.Is(err, fleet.ErrUnavailable) {
		t.Errorf("while the issuer is away: %v", err)
	}
}
