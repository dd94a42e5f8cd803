package daemon

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/meridian-fleet/meridian/internal/server"
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

func authenticator(tokens []TokenConfig) (*server.Tokens, error) {
	known := server.NewTokens()
	for _, configured := range tokens {
		token, err := readToken(configured.File)
		if err != nil {
			return nil, fmt.Errorf("token of %s: %w", configured.User, err)
		}
		known.Add(token, server.Identity{User: configured.User, Roles: []server.Role{configured.Role}})
	}
	return known, nil
}
