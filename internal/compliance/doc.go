// Package compliance answers questions about residency over the live
// inventory: may this data be there, where may it go, where is it and since
// when, what is out of line, what would change if these rules were others. It
// reads every version of every document the inventory has recorded, picks
// those that were true at the instant asked about and known at the instant the
// answer is to rest on, and lets package residency judge. Acts of workflows and
// of the API are judged here too, right before they happen, and every such
// verdict is recorded before anything is done.
//
// What cannot be read is never a yes: an answer that depends on a document
// that is not understood is a denial by meridian/bad-document.
package compliance
