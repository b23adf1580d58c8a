using System.Text;
using Runbooks.Web.Incidents;

namespace RunbookServer.Reporting;

internal sealed class SimulationText
{
    private const int TimeWidth = 8;
    private readonly StringBuilder _text = new();
    private readonly bool _isLive;

    private SimulationText(bool isLive) => _isLive = isLive;

    public static string Of(SimulationReport report) => new SimulationText(report.Live).Write(report);

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

        if (report.WaitsFor is { } other)
        {
            Line(0, $"It would ask nobody while there is an open incident of {other}. Here there is none.");
        }

        Line(0, "");
        var questions = new Queue<SimulatedQuestion>(report.Questions);
        var diagnosis = report.Timeline.FirstOrDefault(moment => moment.Kind == "diagnosis");
        foreach (var moment in report.Timeline)
        {
            Line(0, $"{$"+{moment.After}",-TimeWidth}{(moment == diagnosis ? "checks answer" : Said(moment))}");
            if (moment == diagnosis)
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
            { WouldAct: true } => "Stops here: from here on it acts without asking. "
                + "The checks were asked and the steps looked at their targets for real; nothing was touched.",
            { Live: true, State: "awaitingApproval" } => "Stops at the question. "
                + "The checks were asked and the steps looked at their targets for real; nothing was touched.",
            { Live: true, IsOver: false } => "Stops after one look: "
                + "nothing calls for the mitigation now, and in earnest the checks would be asked again for a while. "
                + "They were asked for real; nothing was touched.",
            { Live: true } => $"Ends as {report.State}. The checks were asked for real; nothing was touched.",
            { IsOver: false } => $"Has not ended within {DurationText.Format(report.WatchedFor)}: it is {report.State}. "
                + "Everything outside was assumed; nothing was touched.",
            _ => $"Ends as {report.State}. Everything outside was assumed; nothing was touched.",
        });
        return _text.ToString();
    }

    private static string Said(SimulatedMoment moment) =>
        moment.Card is { } card ? $"{moment.What}: {card.Title}" : $"{moment.Kind}: {moment.What}";

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
            Line(TimeWidth + 4, $"would: {(step.Undo is { } undo ? $"{EndingText.Sentence(step.PlannedEffect)} Undo: {undo}" : step.PlannedEffect)}");
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
            if (Plain(parameter.Value).TrimEnd().ReplaceLineEndings("\n").Split('\n') is { Length: > 1 } lines)
            {
                // In one line a comment of a query would seem to cut off the rest. No line from outside reaches the left.
                Line(TimeWidth + 4, $"{parameter.Name}:");
                Array.ForEach(lines, line => Line(TimeWidth + 6, line));
            }
            else
            {
                Line(TimeWidth + 4, $"{parameter.Name}: {Plain(parameter.Value)}");
            }
        }
    }

    private static string Plain(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private void Card(Card card, SimulatedQuestion question)
    {
        foreach (var section in card.Sections.SkipLast(1))
        {
            Line(TimeWidth, $"| {section.Heading}");
            section.Lines.ToList().ForEach(line => Line(TimeWidth, $"|   {line}"));
        }

        // The last section gives clock times. Here they are counted from the alert.
        Line(TimeWidth, $"| {card.Sections[^1].Heading}");
        foreach (var moment in question.IfNobodyAnswers)
        {
            Line(TimeWidth, $"|   {$"+{moment.After}",-TimeWidth}{moment.What}");
        }
    }

    /// <summary>Always one line: text from outside makes no lines of its own.</summary>
    private void Line(int indent, string text) => _text.Append(' ', indent).Append(text.ReplaceLineEndings(" ")).Append('\n');
}
