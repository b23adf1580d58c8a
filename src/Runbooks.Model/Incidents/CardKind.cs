using System.Text.Json.Serialization;

namespace Runbooks.Model.Incidents;

public enum CardKind { ApprovalRequest, Reminder, Escalation, Decided, Closed, Page }
