// Package geography knows where the cities of the region catalogs, and the
// middles of countries, are on the globe: for maps in reports and for telling
// what is near. Coordinates are in degrees, rounded to what a map of the world
// can show; they decide nothing.
package geography
