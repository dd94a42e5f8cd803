package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Role is what a user may do. Each role includes the ones before it.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"   // look at everything, plan
	Operator Role = "operator" // onboard, roll out, heal
	Admin    Role = "admin"    // declare, delete, get kubeconfigs
)

// Roles lists the roles, the least first.
var Roles = []Role{Viewer, Operator, Admin}

func (r Role) rank() int {
	for rank, role := range Roles {
		if role == r {
			return rank
		}
	}
	return -1
}

// Identity is who calls.
type Identity struct {
	User  string // as histories show it
	Roles []Role
}

func (i Identity) has(needed Role) bool {
	for _, role := range i.Roles {
		if role.rank() >= needed.rank() && needed.rank() >= 0 {
			return true
		}
	}
	return false
}

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
	scheme, token, _ := strings.Cut(header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return Identity{}, fleet.Errorf(fleet.ErrDenied, "no bearer token was sent")
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

type identityKey struct{}

func withIdentity(ctx context.Context, identity Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, identity)
}

// actor is the calling user's name, for histories.
func actor(ctx context.Context) string {
	identity, _ := ctx.Value(identityKey{}).(Identity)
	return identity.User
}
