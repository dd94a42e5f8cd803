// Package inventory remembers the fleet: every resource people declared and
// everything observed of it, with the history of each change (who, when,
// before, after), on SQLite or PostgreSQL. It also stores baseline bundles by
// content, so that a name@version means one thing for ever.
package inventory
