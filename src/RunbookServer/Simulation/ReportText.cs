using System.Text;
using System.Text.Json;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.Notifications;
using Runbooks.Testing;
using Runbooks.Web.Incidents;

namespace RunbookServer.Simulation;

/// <summary>A simulation as a timeline that people read from top to bottom.</summary>
internal sealed class ReportText
{
    private const int TimeWidth = 8;
    private readonly StringBuilder _text = new();
    private readonly bool _isLive;

    private ReportText(bool isLive) => _isLive = isLive;

    public static string Of(SimulationReport report) => new ReportText(report.Live).Write(report);

    private string Write(SimulationReport report)
    {
        Line(0, $"{report.Title} ({report.Runbook}){(report.Target is { } target ? $" on {target}" : "")}");
        Line(0, $"Alert {report.Alert.Name} from {report.Alert.Source}{(report.Alert.Severity is { } severity ? $", {severity}" : "")}");
        if (!report.Applies)
        {
            Line(0, "This runbook is not for this alert:");
            report.WhyNot.ToList().ForEach(miss => Line(2, miss));
            return _text.ToString();
        }

        Line(0, "");
        var questions = new Queue<SimulatedQuestion>(report.Questions);
        foreach (var moment in report.Timeline)
        {
            Line(0, $"{$"+{moment.After}",-TimeWidth}{Said(moment)}");
            if (moment.Kind == "diagnosis")
            {
                report.Checks.ToList().ForEach(Check);
            }
            else if (moment.Card is { Kind: CardKind.ApprovalRequest } card)
            {
                Card(card, report.Questions.First(question => question.Gate == card.GateId));
            }
            else if (moment.Kind == "gate" && questions.TryPeek(out var next) && next.After == moment.After)
            {
                questions.Dequeue().Plan.ToList().ForEach(Step);
            }
        }

        Line(0, "");
        report.Problems.ToList().ForEach(problem => Line(0, $"Problem: {problem}"));
        Line(0, report switch
        {
            { WouldAct: true } => "Stops here: from here on it acts without asking. The checks were asked and the steps looked at their targets for real; nothing was touched.",
            { Live: true, State: "awaitingApproval" } => "Stops at the question. The checks were asked and the steps looked at their targets for real; nothing was touched.",
            { Live: true } => $"Ends as {report.State}. The checks were asked for real; nothing was touched.",
            _ => $"Ends as {report.State}. Everything outside was assumed; nothing was touched.",
        });
        return _text.ToString();
    }

    private static string Said(SimulatedMoment moment) => moment switch
    {
        { Kind: "diagnosis" } => "checks answer",
        { Card: { } card } => $"{moment.What}: {card.Title}",
        _ => $"{moment.Kind}: {moment.What}",
    };

    private void Check(SimulatedCheck check)
    {
        Line(TimeWidth, $"{check.Name} is {check.Verdict}: {check.Ask}");
        Line(TimeWidth + 2, check.Check);
        Parameters(check.Parameters);
        if (check.Problem is not null)
        {
            Line(TimeWidth + 4, $"PROBLEM: {check.Problem}");
        }

        if (_isLive)
        {
            Line(TimeWidth + 4, $"found: {check.Summary}");
        }
    }

    private void Step(PlannedStepView step)
    {
        Line(TimeWidth, $"step {step.Name} ({CamelCase.Of(step.Phase)})");
        Line(TimeWidth + 2, step.Action);
        Parameters(step.Parameters);
        if (_isLive)
        {
            Line(TimeWidth + 4, $"would: {step.PlannedEffect}{(step.Undo is { } undo ? $" Undo: {undo}" : "")}");
        }
    }

    private void Parameters(JsonElement parameters)
    {
        if (parameters.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        foreach (var parameter in parameters.EnumerateObject())
        {
            Line(TimeWidth + 4, $"{parameter.Name}: {Plain(parameter.Value)}");
        }
    }

    private static string Plain(JsonElement value) =>
        (value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText()).ReplaceLineEndings(" ");

    private void Card(Card card, SimulatedQuestion question)
    {
        foreach (var section in card.Sections.SkipLast(1))
        {
            Line(TimeWidth, $"| {section.Heading}");
            section.Lines.ToList().ForEach(line => Line(TimeWidth, $"|   {line.ReplaceLineEndings(" ")}"));
        }

        // The last section tells by the clock what here is told by minutes.
        Line(TimeWidth, $"| {card.Sections[^1].Heading}");
        foreach (var moment in question.IfNobodyAnswers)
        {
            Line(TimeWidth, $"|   {$"+{moment.After}",-TimeWidth}{moment.What}");
        }
    }

    private void Line(int indent, string text) => _text.Append(' ', indent).Append(text).Append('\n');
}
