// Package smtpsend is the Sender by SMTP. It sends the mail of an envelope as it stands, over connections that are kept
// open, to the first of several servers that takes it: by priority, with a memory of who failed. TLS is as configured and
// never less. Signing (DKIM, S/MIME) is here as functions of the bytes, to be applied before the outbox, so that a
// preview shows what is sent.
package smtpsend
