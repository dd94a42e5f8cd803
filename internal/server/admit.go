package server

import (
	"errors"
	"net/http"

	"connectrpc.com/connect"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// admit lets a request through whose caller is known and allowed. It stands
// before the handler so that no stranger's body is ever read.
func (s *Server) admit(next http.Handler) http.Handler {
	answer := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity, err := s.authenticate(r)
		if err != nil {
			code := connect.CodeUnauthenticated
			if errors.Is(err, fleet.ErrUnavailable) {
				code = connect.CodeUnavailable
			}
			s.refuse(answer, w, r, code, err)
			return
		}
		if roles := callers[r.URL.Path]; !identity.hasAny(roles) {
			err := fleet.Errorf(fleet.ErrDenied, "%s may not do this", identity.User).Advise("%s", takes(roles))
			s.refuse(answer, w, r, connect.CodePermissionDenied, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(withIdentity(r.Context(), identity)))
	})
}

// authenticate finds out who calls, by the one form of the caller's name.
func (s *Server) authenticate(r *http.Request) (Identity, error) {
	identity, err := s.Authenticator.Authenticate(r.Context(), r.Header)
	if err != nil {
		return Identity{}, err
	}
	if identity.User, err = UserName(identity.User); err != nil {
		return Identity{}, fleet.Errorf(fleet.ErrDenied, "the caller's name: %w", err)
	}
	return identity, nil
}

func (s *Server) refuse(answer *connect.ErrorWriter, w http.ResponseWriter, r *http.Request, code connect.Code, err error) {
	s.Metrics.count(r.URL.Path, code.String())
	reason := err.Error()
	if code == connect.CodePermissionDenied { // the error names the caller, and the log nobody
		reason = "the caller has no role for it"
	}
	s.Logger.InfoContext(r.Context(), "request refused", "procedure", procedureLabel(r.URL.Path), "reason", reason)
	_ = answer.Write(w, r, connectError(code, err)) // a caller that is gone needs no answer
}
