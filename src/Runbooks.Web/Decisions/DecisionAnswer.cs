using Microsoft.AspNetCore.Http;
using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Web.Http;
using GateView = Runbooks.Web.Incidents.GateView;

namespace Runbooks.Web.Decisions;

/// <summary>What became of a decision, for the API.</summary>
/// <param name="DecidedBy">Whoever's decision counts; empty when no person decided.</param>
public sealed record DecisionAnswer(
    string? Incident, IncidentState? State, DecisionStatus Status, string Message, IReadOnlyList<string> DecidedBy, GateView? Gate)
{
    public static DecisionAnswer Of(DecisionReceipt receipt, string? gateId)
    {
        var gate = receipt.Incident is not { } incident ? null : gateId is null ? incident.OpenGate ?? incident.LatestGate : incident.FindGate(gateId);
        return new(
            receipt.Incident?.Id, receipt.Incident?.State, receipt.Result.Status, receipt.Result.Message,
            gate is null ? [] : [.. gate.Decisions.Select(decision => decision.Person)],
            gate is null ? null : GateView.Of(gate));
    }

    public static IResult Result(DecisionReceipt receipt, string? gateId) =>
        receipt.Result.Status == DecisionStatus.NotFound
            ? Answers.Problem(StatusCodes.Status404NotFound, receipt.Result.Message)
            : Answers.Json(Of(receipt, gateId), StatusOf(receipt.Result.Status));

    public static int StatusOf(DecisionStatus status) => status switch
    {
        DecisionStatus.Decided or DecisionStatus.MoreNeeded => StatusCodes.Status200OK,
        DecisionStatus.NotAllowed => StatusCodes.Status403Forbidden,
        DecisionStatus.NotFound => StatusCodes.Status404NotFound,
        _ => StatusCodes.Status409Conflict,
    };
}
