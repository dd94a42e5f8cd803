// Package architecture keeps the shape of the code: its tests read every
// package of the module and fail, with the reason, when one imports what it
// must not, or lacks the paragraph that tells a newcomer what it is.
package architecture
