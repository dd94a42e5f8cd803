// Package verdict says in plain sentences what the rules answered: yes or no,
// which rules decided on which facts, what has to be done besides, and what
// would be lawful. A compliance officer reads it, not an engineer.
package verdict
