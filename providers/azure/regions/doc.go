// Package regions holds the catalog of Azure's regions as data: where each
// stands, who runs it, whose law reaches whom, and where geo-redundant stores
// copy to, with the sources beside the facts. It stands apart from the
// provider, so that whoever needs facts alone gets no more than them.
package regions
