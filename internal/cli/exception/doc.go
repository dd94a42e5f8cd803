// Package exception holds the verbs of exceptions, which suspend one named deny
// for one subject until a day: request asks for one, approve consents, revoke
// ends one, list and show tell who asked, who approved, and whether it is in
// force.
package exception
