package daemon

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
	"github.com/meridian-fleet/meridian/internal/server/openid"
)

// readToken reads a file whose only line is a secret.
func readToken(file string) (string, error) {
	if file == "" {
		return "", errors.New("needed: a file with the token")
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("%s must have the token on its only line", file)
	}
	return token, nil
}

// ensureToken reads a token, or makes one that only the user can read.
func ensureToken(file string) (string, error) {
	token, err := readToken(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	token = rand.Text() + rand.Text()
	return token, replaceFile(file, []byte(token+"\n"))
}

// authenticators know the users with tokens, and those an issuer vouches for.
// The issuer is nil when there is none.
func (d *Daemon) authenticators() (server.Authenticators, *openid.Issuer, error) {
	tokens, err := staticTokens(d.config.API.Tokens)
	if err != nil || d.config.API.OIDC == nil {
		return server.Authenticators{tokens}, nil, err
	}
	issuer, err := newIssuer(*d.config.API.OIDC, d.logger.With("component", "openid"))
	return server.Authenticators{tokens, issuer}, issuer, err
}

func staticTokens(tokens []TokenConfig) (*server.Tokens, error) {
	known := server.NewTokens()
	for _, configured := range tokens {
		token, err := readToken(configured.File)
		if err != nil {
			return nil, fmt.Errorf("token of %s: %w", configured.User, err)
		}
		known.Add(token, server.Identity{User: configured.User, Roles: configured.roles()})
	}
	return known, nil
}

func newIssuer(config OIDCConfig, logger *slog.Logger) (*openid.Issuer, error) {
	var authority []byte
	if config.CertificateAuthority != "" {
		var err error
		if authority, err = os.ReadFile(config.CertificateAuthority); err != nil {
			return nil, fleet.Errorf(fleet.ErrInvalid, "the issuer's authority: %w", err)
		}
	}
	return openid.New(openid.Config{
		Issuer: config.Issuer, Audience: config.Audience, Authority: authority, Logger: logger,
		UserClaim: config.UserClaim, RolesClaim: config.RolesClaim, RoleMap: config.RoleMap,
	})
}
