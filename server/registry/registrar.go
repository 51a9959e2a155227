package registry

import (
	"time"
)

// Times of a registration, from the specification (sections 10.1 and 10.3).
const (
	linkLifetime  = 30 * day // of the confirmation link
	mailPause     = day      // between two mails about one device
	expiryWarning = 30 * day // before a contract ends
	silentAfter   = 35 * day // of a device without a known schedule
	touchPause    = time.Minute
)

// AutoConfirm says which devices need no person to confirm them.
type AutoConfirm string

// The choices.
const (
	AutoConfirmNever       AutoConfirm = "never"
	AutoConfirmCertificate AutoConfirm = "certificate" // the message came through an agent or gateway of the contract's own company
)

// Policy is what an operator may choose. The zero Policy asks a person about every device.
type Policy struct {
	AutoConfirm AutoConfirm `json:"auto_confirm,omitempty" yaml:"auto_confirm"`
}

// Registrar decides about devices. It keeps nothing: everything is in the Store that each call is given, in the caller's
// transaction. Its fields are set before use.
type Registrar struct {
	Policy Policy
	Now    func() time.Time // nil: time.Now
}

func (r *Registrar) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}
