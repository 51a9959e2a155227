// Package journald takes the entries of the systemd journal, by running journalctl and reading what it prints.
//
// It owns the process, its restarts and the cursor, and turns an entry into a line as a local syslog daemon would have
// written it: <PRI>program[pid]: text. The cursor of the last entry taken is kept in a state file; journalctl goes on
// behind it after a restart, so no entry is lost while the journal keeps it.
package journald
