package daemon

import (
	"crypto/x509"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/meridian-fleet/meridian/internal/server"
	"github.com/meridian-fleet/meridian/internal/server/openid"
)

func (c *checker) tokens(tokens []TokenConfig) {
	holders := map[string]string{} // token to user
	for i, token := range tokens {
		key := "api.tokens[" + strconv.Itoa(i) + "]"
		if token.User == "" {
			c.fault(key+".user", "needed: the name histories show")
		} else if _, err := server.UserName(token.User); err != nil {
			c.fault(key+".user", "%v", err)
		}
		if token.Role == "" && len(token.Roles) == 0 {
			c.fault(key+".roles", "needed: some of %s", roleNames())
		}
		if token.Role != "" {
			c.role(key+".role", token.Role)
		}
		for n, role := range token.Roles {
			c.role(key+".roles["+strconv.Itoa(n)+"]", role)
		}
		secret, err := readToken(token.File)
		if err != nil {
			c.fault(key+".file", "%v", err)
			continue
		}
		if holder, taken := holders[secret]; taken {
			c.fault(key+".file", "has the same token as that of %s: nobody could tell them apart", holder)
		}
		holders[secret] = token.User
	}
}

func (c *checker) role(key string, role server.Role) {
	if !slices.Contains(server.Roles, role) {
		c.fault(key, "want one of %s, got %q", roleNames(), role)
	}
}

func roleNames() string {
	names := make([]string, 0, len(server.Roles))
	for _, role := range server.Roles {
		names = append(names, string(role))
	}
	return strings.Join(names, ", ")
}

func (c *checker) oidc(config OIDCConfig) {
	if err := openid.CheckIssuer(config.Issuer); err != nil {
		c.fault("api.oidc.issuer", "%v", err)
	}
	if config.Audience == "" {
		c.fault("api.oidc.audience", "needed: the client id that tokens are made for")
	}
	for value, roles := range config.RoleMap {
		for n, role := range roles {
			c.role("api.oidc.roleMap."+value+"["+strconv.Itoa(n)+"]", role)
		}
	}
	if config.CertificateAuthority != "" {
		content, err := os.ReadFile(config.CertificateAuthority)
		if err != nil {
			c.fault("api.oidc.certificateAuthority", "cannot be read: %v", err)
		} else if !x509.NewCertPool().AppendCertsFromPEM(content) {
			c.fault("api.oidc.certificateAuthority", "%s has no PEM certificate", config.CertificateAuthority)
		}
	}
}

func (c *checker) evidence(config EvidenceConfig) {
	witness := config.Witness
	if witness == nil {
		return
	}
	if config.WitnessDir != "" {
		c.fault("evidence.witnessDir", "is of the witness in this process; there is another in evidence.witness")
	}
	if parsed, err := url.Parse(witness.URL); err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" {
		c.fault("evidence.witness.url", "want a URL, got %q", witness.URL)
	}
	if witness.Key == "" {
		c.fault("evidence.witness.key", "needed: the witness's verifier key")
	}
}
