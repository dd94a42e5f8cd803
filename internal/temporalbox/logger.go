package temporalbox

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"

	sdklog "go.temporal.io/sdk/log"
	serverlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
)

// NewSDKLogger makes a logger for Temporal clients and workers. Each message
// goes one level down: an activity that fails is tried again, and what becomes
// of it is in its workflow's status.
func NewSDKLogger(logger *slog.Logger) sdklog.Logger {
	return sdklog.NewStructuredLogger(slog.New(demoting{logger.With("component", "temporal").Handler()}))
}

// demoting is a handler that takes every record for one level less.
type demoting struct{ slog.Handler }

func (d demoting) Enabled(ctx context.Context, level slog.Level) bool {
	return d.Handler.Enabled(ctx, level-4)
}

func (d demoting) Handle(ctx context.Context, record slog.Record) error {
	record.Level -= 4
	return d.Handler.Handle(ctx, record)
}

func (d demoting) WithAttrs(attributes []slog.Attr) slog.Handler {
	return demoting{d.Handler.WithAttrs(attributes)}
}

func (d demoting) WithGroup(name string) slog.Handler { return demoting{d.Handler.WithGroup(name)} }

// serverLogger passes the server's log on. Its everyday chatter, warnings
// included, shows at debug only.
// Once the server is told to stop, its services miss one another for a moment,
// and their errors do as well.
type serverLogger struct {
	logger   *slog.Logger
	fatal    func(message string)
	stopping *atomic.Bool
}

func newServerLogger(logger *slog.Logger, fatal func(string), stopping *atomic.Bool) serverlog.Logger {
	if fatal == nil {
		fatal = exit
	}
	return serverLogger{logger: logger.With("component", "temporal-server"), fatal: fatal, stopping: stopping}
}

func exit(message string) {
	fmt.Fprintln(os.Stderr, "fleetd:", message)
	os.Exit(1)
}

func (l serverLogger) With(tags ...tag.Tag) serverlog.Logger {
	l.logger = slog.New(l.logger.Handler().WithAttrs(attributes(tags)))
	return l
}

func (l serverLogger) log(level slog.Level, message string, tags []tag.Tag) {
	if l.stopping.Load() {
		level = min(level, slog.LevelDebug)
	}
	l.logger.LogAttrs(context.Background(), level, message, attributes(tags)...)
}

func (l serverLogger) Debug(message string, tags ...tag.Tag) {
	l.log(slog.LevelDebug-4, message, tags)
}
func (l serverLogger) Info(message string, tags ...tag.Tag)   { l.log(slog.LevelDebug, message, tags) }
func (l serverLogger) Warn(message string, tags ...tag.Tag)   { l.log(slog.LevelDebug, message, tags) }
func (l serverLogger) Error(message string, tags ...tag.Tag)  { l.log(slog.LevelWarn, message, tags) }
func (l serverLogger) DPanic(message string, tags ...tag.Tag) { l.log(slog.LevelError, message, tags) }

// Panic logs and panics, as the server expects of its logger.
func (l serverLogger) Panic(message string, tags ...tag.Tag) {
	l.log(slog.LevelError, message, tags)
	panic(message)
}

// Fatal ends the process: the server goes on after the call as if it could not
// return.
func (l serverLogger) Fatal(message string, tags ...tag.Tag) {
	text := "the embedded Temporal server cannot go on: " + message
	for _, attribute := range attributes(tags) {
		text += fmt.Sprintf(", %s", attribute)
	}
	l.fatal(text)
}

func attributes(tags []tag.Tag) []slog.Attr {
	attributes := make([]slog.Attr, 0, len(tags))
	for _, t := range tags {
		value := t.Value()
		if err, ok := value.(error); ok {
			value = err.Error()
		}
		attributes = append(attributes, slog.Any(t.Key(), value))
	}
	return attributes
}
