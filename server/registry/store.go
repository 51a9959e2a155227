package registry

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
)

// Store keeps the registry within one transaction of its caller. A record that is not there is an error of
// callhome.KindNotFound; lists are never nil errors when they are empty. No method keeps what it is given.
type Store interface {
	Devices
	Contracts
	Requests
	Watch
	Enrolments
}

// Devices keeps registrations.
type Devices interface {
	// DeviceByKey is the device of a product model and serial number: one indexed read.
	DeviceByKey(ctx context.Context, k Key) (*Device, error)
	// DevicesByKey is DeviceByKey for many at once; those that are not known are missing in the answer.
	DevicesByKey(ctx context.Context, keys []Key) (map[Key]*Device, error)
	// Device is a device by its ID.
	Device(ctx context.Context, id ID) (*Device, error)
	// DevicesBySerial are devices of a serial number whatever their model, without regard to case, oldest first.
	DevicesBySerial(ctx context.Context, serial string, limit int) ([]Device, error)
	// DevicesOfContract are devices that name a contract number or are covered by it, in order of ID from after on.
	DevicesOfContract(ctx context.Context, number string, after ID, limit int) ([]Device, error)
	// AddDevice stores a new device and sets its ID; KindConflict when there is one with its key.
	AddDevice(ctx context.Context, d *Device) error
	// PutDevice stores all of a changed device. KindConflict when it changed since it was read. When its company changed,
	// what is known of the device goes over to the new one in the same transaction: exceptions, conflicts, inventory,
	// configurations, advisories. Messages and cases stay with the company that had the device at their time.
	PutDevice(ctx context.Context, d *Device) error
	// Touch stores only when the device was last seen; never backwards.
	Touch(ctx context.Context, id ID, at time.Time) error
	// ListDevices is a page of devices, newest first.
	ListDevices(ctx context.Context, reach account.Reach, f DeviceFilter, p account.Page) ([]Device, error)
	// CountDevices are how many devices of a reach are in each state: a maintained counter.
	CountDevices(ctx context.Context, reach account.Reach) (map[State]int64, error)

	// AddException counts a message with a fault to its exception of the day.
	AddException(ctx context.Context, e *Exception) error
	// ListExceptions is a page, newest first.
	ListExceptions(ctx context.Context, reach account.Reach, f ExceptionFilter, p account.Page) ([]Exception, error)
	// CountAnonymous counts an anonymous message in its day, product model and alert group.
	CountAnonymous(ctx context.Context, at time.Time, model string, g callhome.AlertGroup) error
	// AnonymousCounts are the counts of the days from since on, by model and group.
	AnonymousCounts(ctx context.Context, since time.Time, limit int) ([]AnonymousCount, error)

	// PutConflict stores a conflict or, where its device, kind and evidence are known, counts the message to that one. c
	// becomes what is stored.
	PutConflict(ctx context.Context, c *Conflict) error
	// Conflict is a conflict by its ID.
	Conflict(ctx context.Context, id int64) (*Conflict, error)
	// ResolveConflict stores state, resolver and time of an open conflict; KindConflict when it is not open any more.
	ResolveConflict(ctx context.Context, c *Conflict) error
	// ListConflicts is a page, newest first; state may be empty for all.
	ListConflicts(ctx context.Context, reach account.Reach, state ConflictState, p account.Page) ([]Conflict, error)

	// AddGroup stores a new group of devices and sets its ID; KindConflict when its company has one of that name.
	AddGroup(ctx context.Context, g *Group) error
	// PutGroup stores a changed group.
	PutGroup(ctx context.Context, g *Group) error
	// DeleteGroup removes a group and its memberships.
	DeleteGroup(ctx context.Context, id int64) error
	// Group is a group by its ID.
	Group(ctx context.Context, id int64) (*Group, error)
	// ListGroups is a page of groups (and of sites, which are groups too), newest first.
	ListGroups(ctx context.Context, reach account.Reach, kind GroupKind, p account.Page) ([]Group, error)
	// SetMembers makes devices members of a group by hand, or no members.
	SetMembers(ctx context.Context, group int64, member bool, devices ...ID) error
	// GroupsByHand are the groups that a device was put in by hand.
	GroupsByHand(ctx context.Context, d ID) ([]int64, error)
}

// DeviceFilter chooses devices; empty fields choose all.
type DeviceFilter struct {
	State    State
	Asking   bool // unknown, inventory-received or pending: what the page of pending devices shows
	Model    string
	Serial   string
	DeviceID callhome.DeviceID
	Name     string // beginning of the system name, whatever its case
	Version  string // software version
	Contract string
	Site     string
	Group    int64 // of members by hand
	Silent   bool
	Conflict bool
}

// ExceptionFilter chooses exceptions; empty fields choose all.
type ExceptionFilter struct {
	Reason Reason
	Device ID
	Since  time.Time
}

// AnonymousCount is how many anonymous messages came on a day.
type AnonymousCount struct {
	Day   string              `json:"day"`
	Model string              `json:"model"`
	Group callhome.AlertGroup `json:"group"`
	N     int64               `json:"n"`
}

// Contracts keeps contracts with what they cover.
type Contracts interface {
	// Contract is a contract by its number, whatever its case, with covers and claims.
	Contract(ctx context.Context, number string) (*Contract, error)
	// ContractsCovering are the contracts that name a serial number, those that end last first.
	ContractsCovering(ctx context.Context, serial string) ([]Contract, error)
	// PutContract stores a contract with exactly its covers and claims, new when its ID is 0.
	PutContract(ctx context.Context, c *Contract) error
	// DeleteContract removes a contract.
	DeleteContract(ctx context.Context, id int64) error
	// ListContracts is a page, newest first, without covers and claims.
	ListContracts(ctx context.Context, reach account.Reach, f ContractFilter, p account.Page) ([]Contract, error)
	// ContractsEnding are contracts that end at or before t and whose WarnedFor is not their Until, soonest first.
	ContractsEnding(ctx context.Context, t time.Time, limit int) ([]Contract, error)
	// ContractsEnded are contracts that ended at or before t and whose end was not settled, soonest first.
	ContractsEnded(ctx context.Context, t time.Time, limit int) ([]Contract, error)
	// ContractsBegun are contracts that began at or before t and whose beginning was not settled, soonest first.
	ContractsBegun(ctx context.Context, t time.Time, limit int) ([]Contract, error)
	// MarkContract notes that its end was warned of, its beginning or its end settled.
	MarkContract(ctx context.Context, id int64, mark ContractMark) error
	// CountContractDevices is how many devices a contract covers.
	CountContractDevices(ctx context.Context, number string) (int64, error)
}

// ContractFilter chooses contracts; empty fields choose all.
type ContractFilter struct {
	Number string
	Tier   Tier
	EndsBy time.Time
}

// ContractMark says what was done about a contract's dates.
type ContractMark string

// The marks.
const (
	MarkWarned ContractMark = "warned"
	MarkBegun  ContractMark = "begun"
	MarkEnded  ContractMark = "ended"
)

// Request is a question to a device's contact whether to register it. Token and code are kept as digests only.
type Request struct {
	Token    string // SHA-256 of the link's token, hex
	Code     string // SHA-256 of token digest and security code, hex
	Device   ID
	To       string
	SentAt   time.Time
	Until    time.Time
	Failures int64 // wrong codes tried
}

// Requests keeps what contacts were asked.
type Requests interface {
	// AddRequest stores a request.
	AddRequest(ctx context.Context, r *Request) error
	// Request is the request of a token's digest.
	Request(ctx context.Context, token string) (*Request, error)
	// RequestsOf are a device's requests, newest first.
	RequestsOf(ctx context.Context, d ID) ([]Request, error)
	// FailRequests counts a wrong code to all requests of a device.
	FailRequests(ctx context.Context, d ID) error
	// DropRequests removes a device's requests; none of their links works any more.
	DropRequests(ctx context.Context, d ID) error
	// ForgetRequests removes requests that ended before t.
	ForgetRequests(ctx context.Context, t time.Time, limit int) (int64, error)
}

// Watch keeps when devices are due to speak.
type Watch interface {
	// Schedules are the schedules of a device.
	Schedules(ctx context.Context, d ID) ([]Schedule, error)
	// Schedule is a device's schedule of one group.
	Schedule(ctx context.Context, d ID, g callhome.AlertGroup) (*Schedule, error)
	// PutSchedule stores a schedule, new or changed.
	PutSchedule(ctx context.Context, s *Schedule) error
	// DueSchedules are schedules not raised yet whose due time is at or before t, earliest first.
	DueSchedules(ctx context.Context, t time.Time, limit int) ([]Schedule, error)
	// RaiseSchedule marks a schedule as raised at t; false when another process did so before.
	RaiseSchedule(ctx context.Context, s *Schedule, t time.Time) (bool, error)
	// CountSilent is how many devices of a reach are silent, by schedule or altogether.
	CountSilent(ctx context.Context, reach account.Reach) (int64, error)
	// DueDevices are devices whose own due time is at or before t and whose silence is not raised, earliest first.
	DueDevices(ctx context.Context, t time.Time, limit int) ([]Device, error)
	// WatchDevice sets when a device is due to say anything (zero: never) and when its silence was raised (zero: it is
	// not). It gives false when its silence was raised already and raised is not zero.
	// It changes nothing else of the device, and not its version.
	WatchDevice(ctx context.Context, d ID, due, raised time.Time) (bool, error)
}
