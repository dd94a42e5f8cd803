package openid

import (
	"slices"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/server"
)

// identity reads user and roles from a verified token's claims.
func (i *Issuer) identity(claims map[string]any) (server.Identity, error) {
	named, _ := claim(claims, i.config.UserClaim).(string)
	user, err := server.UserName(named)
	if err != nil {
		return server.Identity{}, fleet.Errorf(fleet.ErrDenied, "the token names no user")
	}
	// An address anybody can claim is nobody's name.
	if verified, said := claims["email_verified"]; i.config.UserClaim == "email" && (!said || verified != true) {
		return server.Identity{}, fleet.Errorf(fleet.ErrDenied, "the token's address is not verified")
	}
	return server.Identity{User: user, Roles: i.roles(claim(claims, i.config.RolesClaim))}, nil
}

// claim finds a claim by its name, or along a path of names joined by dots.
func claim(claims map[string]any, name string) any {
	if value, found := claims[name]; found {
		return value
	}
	first, rest, nested := strings.Cut(name, ".")
	inner, isObject := claims[first].(map[string]any)
	if !nested || !isObject {
		return nil
	}
	return claim(inner, rest)
}

// roles are what a claim, a text or a list of texts, stands for. What is not
// known stands for none.
func (i *Issuer) roles(value any) []server.Role {
	values, isList := value.([]any)
	if !isList {
		values = []any{value}
	}
	var roles []server.Role
	for _, one := range values {
		text, _ := one.(string)
		for _, role := range i.mapped(text) {
			if slices.Contains(server.Roles, role) && !slices.Contains(roles, role) {
				roles = append(roles, role)
			}
		}
	}
	return roles
}

func (i *Issuer) mapped(value string) []server.Role {
	if i.config.RoleMap == nil {
		return []server.Role{server.Role(value)}
	}
	return i.config.RoleMap[value]
}
