// Package offline is what fleetctl judges without a daemon: the regions of the
// providers it is built with, and documents in files and folders. So officers
// can check rules and cases before anybody applies them, and auditors a report
// without Meridian's server.
package offline
