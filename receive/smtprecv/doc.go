// Package smtprecv listens for mailed messages. It answers 250 to a mail only when the sink has taken it durably, takes
// mail for the configured recipients and for nobody else, and forwards nothing. It owns the listeners, their limits,
// STARTTLS and AUTH; it reads no mail.
package smtprecv
