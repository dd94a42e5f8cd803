// Package postgrestest gives tests a real PostgreSQL: one server per test
// binary, started on first use in a folder of its own and reached over a Unix
// socket, and a fresh database per test. The server ends with the binary,
// however that ends, and takes its folder with it.
package postgrestest
