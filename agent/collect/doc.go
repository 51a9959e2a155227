// Package collect runs the commands that show why an alert was raised and returns their output as attachments.
//
// It owns what keeps a device safe from us: which commands may run, how long, how much output is kept, how many sessions
// are open at once, and that nobody logs in again after a refused login until someone acts. One collection serves all
// profiles. How a command reaches a device is a [Runner]'s business: localrun on this host, sshrun over SSH.
//
//	Job ▸ gate ▸ session slot ▸ Runner.Open ▸ Session.Run, command by command ▸ Collection ▸ attachments
//
// On disk it keeps the refused logins alone (see [FileLatches]), so that a restart does not try a password again.
package collect
