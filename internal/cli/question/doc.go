// Package question reads questions about residency from a command line: whose
// data (dataset/crm, workload/shop, class/personal.eu), what is done to it, in
// which regions, and the moment an answer is to be about.
package question
