// Package mimemail writes call-home messages as mails (RFC 5322, MIME) and takes them out of mails again.
//
// It owns the mail's header, its subject line, and the transfer encoding that carries any bytes and any line length
// through SMTP. It does not know what the payload says: the XML and text codecs read it. Delivery is not here either.
package mimemail
