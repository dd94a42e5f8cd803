package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Authenticator finds out who calls.
type Authenticator interface {
	// Authenticate answers ErrDenied when the request proves no identity.
	Authenticate(ctx context.Context, header http.Header) (Identity, error)
}

// Tokens authenticates bearer tokens. It keeps digests only.
type Tokens struct {
	users map[[sha256.Size]byte]Identity
}

// NewTokens makes an authenticator without tokens.
func NewTokens() *Tokens { return &Tokens{users: map[[sha256.Size]byte]Identity{}} }

// Add makes a token stand for an identity.
func (t *Tokens) Add(token string, identity Identity) {
	t.users[sha256.Sum256([]byte(token))] = identity
}

// Authenticate implements Authenticator.
func (t *Tokens) Authenticate(_ context.Context, header http.Header) (Identity, error) {
	token, err := BearerToken(header)
	if err != nil {
		return Identity{}, err
	}
	digest := sha256.Sum256([]byte(token))
	var found Identity
	known := 0
	for candidate, identity := range t.users { // all of them, so that time tells nothing
		if subtle.ConstantTimeCompare(candidate[:], digest[:]) == 1 {
			found, known = identity, 1
		}
	}
	if known == 0 {
		return Identity{}, fleet.Errorf(fleet.ErrDenied, "the token is not known")
	}
	return found, nil
}

// BearerToken is the token a request carries; ErrDenied when it has none.
func BearerToken(header http.Header) (string, error) {
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", fleet.Errorf(fleet.ErrDenied, "no bearer token was sent")
	}
	return token, nil
}

// Authenticators asks several authenticators in turn.
type Authenticators []Authenticator

// Authenticate implements Authenticator. One that cannot be reached keeps a
// stranger from being told that nobody knows the token.
func (a Authenticators) Authenticate(ctx context.Context, header http.Header) (Identity, error) {
	refusal := error(fleet.Errorf(fleet.ErrDenied, "nobody can be authenticated here"))
	unreachable := false
	for _, authenticator := range a {
		identity, err := authenticator.Authenticate(ctx, header)
		if err == nil {
			return identity, nil
		}
		if !unreachable {
			refusal, unreachable = err, errors.Is(err, fleet.ErrUnavailable)
		}
	}
	return Identity{}, refusal
}

type identityKey struct{}

func withIdentity(ctx context.Context, identity Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, identity)
}

func identityOf(ctx context.Context) Identity {
	identity, _ := ctx.Value(identityKey{}).(Identity)
	return identity
}

// actor is the calling user's name, for histories.
func actor(ctx context.Context) string { return identityOf(ctx).User }
