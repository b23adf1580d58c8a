using System.Text.Json;
using Runbooks.Catalog.Matching;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Notifications;
using Runbooks.Web.Incidents;

namespace RunbookServer.Simulation;

/// <summary>What a simulation says, for people and for programs alike. Times are counted from the alert: <c>5m</c>.</summary>
/// <param name="WhyNot">What keeps each trigger from fitting, the nearest first; empty when the runbook applies.</param>
/// <param name="Problems">What is wrong with the runbook as far as this alert shows; empty when nothing is.</param>
/// <param name="State">How the incident ended; null when none was opened.</param>
internal sealed record SimulationReport(
    string Runbook,
    string Title,
    AlertView Alert,
    bool Applies,
    IReadOnlyList<string> WhyNot,
    string? Target,
    IReadOnlyList<SimulatedCheck> Checks,
    IReadOnlyList<SimulatedQuestion> Questions,
    IReadOnlyList<SimulatedMoment> Timeline,
    IReadOnlyList<string> Problems,
    string? State,
    string? Reason)
{
    public static SimulationReport NotApplying(Runbook runbook, Alert alert) => new(
        runbook.Id, runbook.Title, AlertView.Of(alert), Applies: false, RunbookMatcher.Misses(alert, runbook), null, [], [], [], [], null, null);
}

/// <param name="Parameters">Filled in, secrets masked.</param>
/// <param name="Problem">Why the real check would not take them; null when it would.</param>
internal sealed record SimulatedCheck(string Name, string Ask, string Check, JsonElement Parameters, string? Problem, string Verdict, string Summary);

/// <param name="Asked">False: the runbook went on, or could not, without asking anybody.</param>
/// <param name="IfNobodyAnswers">Who is asked when, up to the end of the question.</param>
internal sealed record SimulatedQuestion(
    string Gate, string After, string Question, bool Asked, IReadOnlyList<string> From, int Required,
    IReadOnlyList<PlannedStepView> Plan, IReadOnlyList<SimulatedMoment> IfNobodyAnswers, string Outcome);

/// <summary>Something that happens: a line of the record, or a message to people.</summary>
/// <param name="Kind">As in the incident's timeline; <c>message</c> for what people get.</param>
/// <param name="Card">What the message says; null for anything else.</param>
internal sealed record SimulatedMoment(string After, string Kind, string What, Card? Card = null);
