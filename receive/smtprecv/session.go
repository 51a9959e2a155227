package smtprecv

import (
	"bytes"
	"errors"
	"io"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"callhome"
	"callhome/receive"
)

// session is one SMTP dialogue; go-smtp calls it from one goroutine at a time.
type session struct {
	server *Server
	conn   *smtp.Conn
	user   string // "" before AUTH
	failed int    // logins
	from   string
	to     []string
}

// refusals of the dialogue itself.
var (
	errStopping  = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "the server is stopping; try again later"}
	errNeedTLS   = &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "mail is taken after STARTTLS only"}
	errNeedAuth  = &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "mail is taken after AUTH only"}
	errSender    = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "mail of this sender is not taken here"}
	errRecipient = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "mail for this recipient is not taken here, and nothing is relayed"}
)

// Mail begins a mail.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	_, secure := s.conn.TLSConnectionState()
	switch {
	case s.server.stopping.Load():
		return errStopping
	case s.server.cfg.RequireTLS && !secure:
		return errNeedTLS
	case s.server.cfg.RequireAuth && s.user == "":
		return errNeedAuth
	case !admits(s.server.cfg.Senders, from):
		return errSender
	}
	s.from = from
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !admits(s.server.cfg.Recipients, to) {
		return errRecipient
	}
	s.to = append(s.to, to)
	return nil
}

// commonSize is room for most mails without growing.
const commonSize = 16 << 10

// Data takes the mail and hands it to the sink. Returning nil is what makes go-smtp say 250.
func (s *session) Data(r io.Reader) error {
	if !s.server.begin() {
		return errStopping
	}
	defer s.server.active.Done()
	var body bytes.Buffer
	body.Grow(commonSize)
	if _, err := body.ReadFrom(r); err != nil {
		var smtpErr *smtp.SMTPError
		if errors.As(err, &smtpErr) { // too large
			s.server.metrics.Refused(callhome.TransportEmail, receive.RefuseTooLarge)
			return smtpErr
		}
		return err // the connection broke; nobody hears the answer
	}
	sub := s.submission(body.Bytes())
	receipt, err := s.server.sink.Accept(s.server.ctx(), sub)
	if err != nil {
		return s.refuse(sub, err)
	}
	s.server.metrics.Took(callhome.TransportEmail, receipt, len(sub.Body))
	return nil
}

func (s *session) submission(body []byte) *receive.Submission {
	sub := &receive.Submission{
		Body: body, Transport: callhome.TransportEmail, ReceivedAt: s.server.now(),
		Peer: receive.AddrPortOf(s.conn.Conn().RemoteAddr()), Local: receive.AddrPortOf(s.conn.Conn().LocalAddr()),
		Mail: &receive.Mail{From: s.from, To: s.to, Hello: s.conn.Hostname(), AuthUser: s.user},
	}
	if state, ok := s.conn.TLSConnectionState(); ok {
		sub.TLS = receive.IdentityOf(&state)
	}
	return sub
}

// replyOf maps why a mail is refused to the reply that says so.
var replyOf = map[receive.RefusalReason]smtp.SMTPError{
	receive.RefuseMalformed:   {Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}},
	receive.RefuseUnsupported: {Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 1}},
	receive.RefuseTooLarge:    {Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}},
	receive.RefuseDenied:      {Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}},
	receive.RefuseBusy:        {Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}},
}

func (s *session) refuse(sub *receive.Submission, err error) error {
	ref := receive.RefusalOf(err)
	s.server.metrics.Refused(callhome.TransportEmail, ref.Reason)
	s.server.log.Info("mail refused", "peer", sub.Peer.String(), "from", s.from, "reason", string(ref.Reason), "err", ref.Err)
	reply := replyOf[ref.Reason]
	reply.Message = ref.Public
	return &reply
}

// Reset forgets the mail that was begun.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout ends the dialogue.
func (s *session) Logout() error { return nil }

// AuthMechanisms lists what AUTH offers: nothing without a list of users.
func (s *session) AuthMechanisms() []string {
	if s.server.authenticate == nil {
		return nil
	}
	return []string{sasl.Plain, sasl.Login}
}

// Auth begins one of them.
func (s *session) Auth(mech string) (sasl.Server, error) {
	switch {
	case s.server.authenticate == nil:
	case mech == sasl.Plain:
		return sasl.NewPlainServer(func(identity, username, password string) error {
			if identity != "" && identity != username {
				return smtp.ErrAuthFailed
			}
			return s.check(username, password)
		}), nil
	case mech == sasl.Login:
		return &loginServer{check: s.check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *session) check(username, password string) error {
	if !s.server.authenticate(username, callhome.NewSecret(password)) {
		s.server.log.Warn("mail login refused", "peer", s.conn.Conn().RemoteAddr().String(), "user", username)
		if s.failed++; s.failed >= maxLogins {
			_ = s.conn.Close() // who guesses has to connect again
		}
		return smtp.ErrAuthFailed
	}
	s.user = username
	return nil
}

// maxLogins is how often one connection may err.
const maxLogins = 3

// loginServer speaks LOGIN, which mail clients of devices know best: two prompts, two answers.
type loginServer struct {
	check    func(username, password string) error
	prompted bool
	named    bool
	username string
}

// Next takes one answer and gives the next prompt.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case !l.named && response == nil && !l.prompted:
		l.prompted = true
		return []byte("Username:"), false, nil
	case !l.named:
		l.named, l.username = true, string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.username, string(response))
}
