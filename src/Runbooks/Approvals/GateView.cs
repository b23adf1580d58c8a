using Runbooks.Model.Incidents;

namespace Runbooks.Approvals;

/// <param name="NextLook">When something is due on a pending gate even if nobody answers.</param>
/// <param name="Reason">Why a closed gate did not end in approval.</param>
public sealed record GateView(string GateId, GateOutcome Outcome, DateTimeOffset NextLook, string? Reason);
