package regions

import _ "embed"

// Document is the catalog, in the YAML that providers' catalogs are written in.
//
//go:embed regions.yaml
var Document []byte
