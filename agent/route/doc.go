// Package route decides which destination profiles take an alert, and says why the others do not.
//
// The package owns the compiled form of the profiles' subscriptions. It keeps no state between alerts, holds nothing
// back for being a repeat (agent/throttle), and collects and sends nothing.
//
// # What a subscription takes
//
// A subscription is about one alert group, or about all of them. One to syslog is about every log line, also a line
// that the event tables put into another group: on the devices, too, a logged message can trigger the syslog group
// besides its own. The message still belongs to one group, that of the tables, and is sent once. Of the messages that it
// is about a subscription takes
//
//   - those of its threshold or above whose line holds its pattern, if it has one: both must hold in the same
//     subscription. Groups without a threshold (configuration, inventory, snapshot, telemetry, crash, test) have only
//     the pattern, except through a subscription to syslog. A threshold that is not given is the personality's default;
//   - and those whose number is in its message-ID list, whatever their severity and text. A subscription that has a list
//     and neither severity nor pattern takes what is in the list and nothing else.
//
// Tags, where given, must all be on the line as well. The tag ip is also found under ip.orig: a key stands for its
// semantic extensions. Several subscriptions of one profile are alternatives.
//
// The Cisco-TAC group is no group of messages: a subscription to it takes alerts of the groups that the personality marks
// as members, or, where it marks none, alerts of any event group at critical or above.
//
// A message about cluster membership has the level critical and is taken only through a subscription to the diagnostic
// group, or to all, whose threshold is critical or lower; subscriptions to syslog and to Cisco-TAC do not count.
//
// # What ends trouble
//
// The end of an alert often has a lower level and another text than its beginning. It is taken by the subscriptions that
// take it for itself, and besides by the profiles which were told of the beginning: agent/throttle knows those, and
// [Table.Follow] says which of them may still be told.
//
// # Why not
//
// The first of these that applies to a profile is its reason:
//
//	service_disabled     the service is off; does not stop the profile of anonymous reporting while that is on
//	group_disabled       the alert's group is disabled for all profiles
//	profile_inactive     the profile is off
//	anonymous_only       the profile takes crash, inventory and test messages only, and this is none
//	not_subscribed       no subscription is about the group
//	tag_mismatch         severity and pattern hold, a tag does not
//	pattern_mismatch     severity holds, the pattern does not
//	below_severity       the threshold is higher
//	message_id_mismatch  there are only message-ID lists, and the number is in none of them
//
// Of several subscriptions the one that came nearest names the reason, which is the order of the last four lines.
package route
