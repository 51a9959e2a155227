package plaintext

import "callhome"

// field is what a label stands for.
type field uint8

const (
	fieldNone field = iota
	fieldSubject
	fieldTime
	fieldName
	fieldType
	fieldMessageGroup
	fieldSeverity
	fieldSource
	fieldPriority
	fieldDevice
	fieldCustomer
	fieldContract
	fieldSite
	fieldServer
	fieldDescription
	fieldError // the error message of short text
	fieldSystem
	fieldContactName
	fieldContactEmail
	fieldContactPhone
	fieldAddress

	fieldChassisName // from here: of the chassis being read
	fieldChassisSerial
	fieldChassisPart
	fieldChassisHardware
	fieldChassisSoftware

	fieldUnitName // from here: of the FRU being read
	fieldUnitSerial
	fieldUnitPart
	fieldUnitSlot
	fieldUnitHardware
	fieldUnitSoftware

	fieldProcessName // from here: of the process being read
	fieldProcessID
	fieldProcessState
	fieldProcessException

	fieldOutputName // from here: of the attachment being read
	fieldOutputType
	fieldOutputMIME
	fieldOutputText
	fieldOutput // name and text under one label
)

// row is one label of a layout.
type row struct {
	label string
	field field
}

// layout is a dialect of long text: its labels in their order.
type layout struct {
	separator string
	sections  bool // blocks stand between "start … information:" and "end … information:"
	head      []row
	chassis   []row
	unit      []row
	process   []row
	output    []row
	callHome  bool // the message type is the constant "Call Home"
	alertName bool // the message name is an event's in upper case: SYSLOG_ALERT
	reading   bool // times are a clock reading without zone
	minutes   bool // times have no seconds
}

// Sources of the three tables: the message content tables of the call-home chapters of the IOS and IOS XE configuration
// guides (A), the full-text sample of the NX-OS and MDS 9000 system management guides (B), and the descriptions of
// CISCO-CALLHOME-MIB (C). The inserted fields are those of the reactive, inventory and user-test message tables.
var layoutA = layout{
	separator: " : ", callHome: true, minutes: true,
	head: []row{
		{"TimeStamp", fieldTime}, {"Message Name", fieldName}, {"Message Type", fieldType},
		{"Message Group", fieldMessageGroup}, {"Severity Level", fieldSeverity},
		{"Source ID", fieldSource}, {"Device ID", fieldDevice}, {"Customer ID", fieldCustomer},
		{"Contract ID", fieldContract}, {"Site ID", fieldSite}, {"Server ID", fieldServer},
		{"Event Description", fieldDescription}, {"System Name", fieldSystem}, {"Contact Name", fieldContactName},
		{"Contact Email", fieldContactEmail}, {"Contact Phone", fieldContactPhone}, {"Street Address", fieldAddress},
	},
	chassis: []row{
		{"Affected Chassis", fieldChassisName}, {"Affected Chassis Serial Number", fieldChassisSerial},
		{"Affected Chassis Part No", fieldChassisPart}, {"Affected Chassis Hardware Version", fieldChassisHardware},
		{"Supervisor Software Version", fieldChassisSoftware},
	},
	unit: unitRows, process: processRows, output: outputRows,
}

var layoutB = layout{
	separator: ":", sections: true, alertName: true, reading: true,
	head: []row{
		{"source", fieldSource}, {"Switch Priority", fieldPriority}, {"Device Id", fieldDevice},
		{"Customer Id", fieldCustomer}, {"Contract Id", fieldContract}, {"Site Id", fieldSite},
		{"Server Id", fieldServer}, {"Time of Event", fieldTime}, {"Message Name", fieldName},
		{"Message Type", fieldType}, {"Severity Level", fieldSeverity},
		{"System Name", fieldSystem}, {"Contact Name", fieldContactName}, {"Contact Email", fieldContactEmail},
		{"Contact Phone", fieldContactPhone}, {"Street Address", fieldAddress}, {"Event Description", fieldDescription},
	},
	chassis: []row{
		{"Affected Chassis", fieldChassisName}, {"Affected Chassis Serial Number", fieldChassisSerial},
		{"Affected Chassis Hardware Version", fieldChassisHardware},
		{"Affected Chassis Software Version", fieldChassisSoftware}, {"Affected Chassis Part No", fieldChassisPart},
	},
	unit: unitRows, process: processRows, output: outputRows,
}

var layoutC = layout{
	separator: " : ",
	head: []row{
		{"Subject", fieldSubject}, {"TimeStamp", fieldTime}, {"Message Name", fieldName}, {"Message Type", fieldType},
		{"Level", fieldSeverity}, {"Message Device ID", fieldDevice}, {"Customer ID", fieldCustomer},
		{"Contract ID", fieldContract}, {"Site ID", fieldSite}, {"Server ID", fieldServer},
		{"Message Description", fieldDescription}, {"Device Name", fieldSystem}, {"Contact Name", fieldContactName},
		{"Contact email", fieldContactEmail}, {"Contact Phone", fieldContactPhone}, {"Street Address", fieldAddress},
	},
	chassis: []row{
		{"Model Name", fieldChassisName}, {"Serial Number", fieldChassisSerial}, {"Part Number", fieldChassisPart},
		{"Chassis Hardware Version", fieldChassisHardware}, {"Supervisor Software Version", fieldChassisSoftware},
	},
	unit: unitRows, process: processRows, output: []row{{"Command Output", fieldOutput}},
}

var unitRows = []row{
	{"Affected FRU", fieldUnitName}, {"Affected FRU Serial Number", fieldUnitSerial},
	{"Affected FRU Part No", fieldUnitPart}, {"Affected FRU Slot", fieldUnitSlot},
	{"Affected FRU Hardware Version", fieldUnitHardware}, {"Affected FRU Software Version", fieldUnitSoftware},
}

var processRows = []row{
	{"Process Name", fieldProcessName}, {"Process ID", fieldProcessID}, {"Process State", fieldProcessState},
	{"Process Exception", fieldProcessException},
}

var outputRows = []row{
	{"Command Output Name", fieldOutputName}, {"Attachment Type", fieldOutputType}, {"MIME Type", fieldOutputMIME},
	{"Command Output Text", fieldOutputText},
}

// synonyms are further labels that are read and never written.
var synonyms = []row{
	{"Time", fieldTime}, {"Event Time", fieldTime}, {"Description", fieldDescription}, {"Severity", fieldSeverity},
	{"Contact Phone Number", fieldContactPhone}, {"Contact E-mail", fieldContactEmail}, {"Source", fieldSource},
	{"Device Serial Number", fieldChassisSerial}, {"Affected Chassis Part Number", fieldChassisPart},
	{"Affected Chassis Name", fieldChassisName}, {"Affected FRU Name", fieldUnitName},
	{"Affected FRU Part Number", fieldUnitPart}, {"FRU Name", fieldUnitName}, {"FRU Serial Number", fieldUnitSerial},
	{"FRU Part No", fieldUnitPart}, {"FRU Slot", fieldUnitSlot}, {"FRU Hardware Version", fieldUnitHardware},
	{"FRU Software Version", fieldUnitSoftware},
}

// labelRows are the five labels of short text, from CISCO-CALLHOME-MIB. "Device Id" holds the host name there.
var labelRows = []row{
	{"Subject", fieldSubject}, {"Device Id", fieldDevice}, {"TimeStamp", fieldTime}, {"Error Message", fieldError},
	{"Severity Level", fieldSeverity},
}

// subjectPrefix opens every subject, in mail and in text.
const subjectPrefix = "System Notification from"

// headField gives the plain string fields of the head; the others need more than a string.
func headField(m *callhome.Message, f field) *string {
	switch f {
	case fieldMessageGroup:
		return &m.MessageGroup
	case fieldSource:
		return &m.SourceID
	case fieldCustomer:
		return &m.CustomerID
	case fieldContract:
		return &m.ContractID
	case fieldSite:
		return &m.SiteID
	case fieldServer:
		return &m.ServerID
	case fieldDescription, fieldError:
		return &m.Description
	case fieldSystem:
		return &m.SystemName
	case fieldContactName:
		return &m.ContactName
	case fieldContactEmail:
		return &m.ContactEmail
	case fieldContactPhone:
		return &m.ContactPhone
	case fieldAddress:
		return &m.StreetAddress
	}
	return nil
}

// unitField gives the part of a FRU, or of a further chassis, that f is.
func unitField(u *callhome.FRU, f field) *string {
	switch f {
	case fieldChassisName, fieldUnitName:
		return &u.Name
	case fieldChassisSerial, fieldUnitSerial:
		return &u.Serial
	case fieldChassisPart, fieldUnitPart:
		return &u.PartNo
	case fieldUnitSlot:
		return &u.Slot
	case fieldChassisHardware, fieldUnitHardware:
		return &u.HWVersion
	case fieldChassisSoftware, fieldUnitSoftware:
		return &u.SWVersion
	}
	return nil
}

// processField gives the part of a process that f is.
func processField(p *callhome.Process, f field) *string {
	switch f {
	case fieldProcessName:
		return &p.Name
	case fieldProcessID:
		return &p.ID
	case fieldProcessState:
		return &p.State
	case fieldProcessException:
		return &p.Exception
	}
	return nil
}
