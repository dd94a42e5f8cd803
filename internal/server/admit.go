package server

import (
	"net/http"

	"connectrpc.com/connect"

	"github.com/meridian-fleet/meridian/api/fleet/v1/fleetv1connect"
	"github.com/meridian-fleet/meridian/internal/fleet"
)

// neededRole is the least role for each call. A call that is missing here is
// refused to everybody.
var neededRole = map[string]Role{
	fleetv1connect.FleetServiceGetVersionProcedure:      Viewer,
	fleetv1connect.FleetServiceGetProcedure:             Viewer,
	fleetv1connect.FleetServiceListProcedure:            Viewer,
	fleetv1connect.FleetServiceHistoryProcedure:         Viewer,
	fleetv1connect.FleetServiceWatchProcedure:           Viewer,
	fleetv1connect.FleetServicePlanRolloutProcedure:     Viewer,
	fleetv1connect.FleetServiceOnboardRegionsProcedure:  Operator,
	fleetv1connect.FleetServiceAbortOnboardingProcedure: Operator,
	fleetv1connect.FleetServiceStartRolloutProcedure:    Operator,
	fleetv1connect.FleetServiceControlRolloutProcedure:  Operator,
	fleetv1connect.FleetServiceCheckDriftProcedure:      Operator,
	fleetv1connect.FleetServiceHealDriftProcedure:       Operator,
	fleetv1connect.FleetServiceApplyProcedure:           Admin,
	fleetv1connect.FleetServiceDeleteProcedure:          Admin,
	fleetv1connect.FleetServiceGetKubeconfigProcedure:   Admin,
}

// admit lets a request through whose caller is known and allowed. It stands
// before the handler so that no stranger's body is ever read.
func (s *Server) admit(next http.Handler) http.Handler {
	answer := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity, err := s.Authenticator.Authenticate(r.Context(), r.Header)
		if err != nil {
			s.refuse(answer, w, r, connect.CodeUnauthenticated, err)
			return
		}
		if role := neededRole[r.URL.Path]; !identity.has(role) {
			err := fleet.Errorf(fleet.ErrDenied, "%s may not do this", identity.User).Advise("it takes the role %q", role)
			s.refuse(answer, w, r, connect.CodePermissionDenied, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(withIdentity(r.Context(), identity)))
	})
}

func (s *Server) refuse(answer *connect.ErrorWriter, w http.ResponseWriter, r *http.Request, code connect.Code, err error) {
	s.Metrics.count(r.URL.Path, code.String())
	s.Logger.InfoContext(r.Context(), "request refused", "procedure", procedureLabel(r.URL.Path), "error", err)
	_ = answer.Write(w, r, connectError(code, err)) // a caller that is gone needs no answer
}
