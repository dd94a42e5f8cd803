package command

import (
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// logFlags choose how and how much is logged.
type logFlags struct{ format, level string }

func (f *logFlags) register(command *cobra.Command) {
	command.Flags().StringVar(&f.format, "log-format", "text", "format of the log: text or json")
	command.Flags().StringVar(&f.level, "log-level", "info", "least level that is logged: debug, info, warn or error")
}

// logger makes the logger, and sends there what libraries log.
func (f *logFlags) logger(to io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "want debug, info, warn or error, got %q", f.level).At(fleet.Position{}, "--log-level")
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler
	switch f.format {
	case "text":
		handler = slog.NewTextHandler(to, options)
	case "json":
		handler = slog.NewJSONHandler(to, options)
	default:
		return nil, fleet.Errorf(fleet.ErrInvalid, "want text or json, got %q", f.format).At(fleet.Position{}, "--log-format")
	}
	logger := slog.New(handler)
	slog.SetDefault(logger)
	klog.SetSlogLogger(logger) // libraries of Kubernetes and of the evidence log write there
	log.SetLogger(logr.FromSlogHandler(handler))
	return logger, nil
}
