// Package openid authenticates callers by the tokens of an OpenID Connect
// issuer: it verifies issuer, audience, time and signature, takes the user's
// name from one claim and the roles from another. It asks the issuer for its
// keys when the first token comes and again from time to time, so that neither
// fleetd's start nor the callers with tokens of other kinds wait for it. What a
// token does not say in the expected form is a user without roles, who may do
// nothing.
package openid
