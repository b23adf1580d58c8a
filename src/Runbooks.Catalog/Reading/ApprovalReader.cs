using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Reading;

internal static class ApprovalReader
{
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Most = TimeSpan.FromDays(30);

    public static Approval? Read(Section? phase, TemplatePlace place)
    {
        if (phase?.Sub("approval") is not { } section)
        {
            return null;
        }

        var ask = section.Text("ask", required: true, longest: 500);
        place.Check(section.PathOf("ask"), ask, section.Errors);
        var approval = new Approval
        {
            Ask = ask,
            From = section.Words("from", required: true),
            Required = section.Whole("required", 1, 10) ?? 1,
            SeparationOfDuties = section.Flag("separationOfDuties"),
            RemindAfter = section.Duration("remindAfter", Least, Most),
            Escalate = [.. section.Items("escalate").Select(ReadEscalation)],
            Timeout = section.Duration("timeout", Least, Most) ?? new Approval { Ask = ask }.Timeout,
            OnTimeout = section.Choice("onTimeout", OnTimeout.Abort),
        };
        section.RejectOthers();
        CheckTimes(section, approval);
        return approval;
    }

    private static Escalation ReadEscalation(Section section)
    {
        var escalation = new Escalation(section.Duration("after", Least, Most, required: true) ?? TimeSpan.Zero, section.Words("to", required: true));
        section.RejectOthers();
        return escalation;
    }

    private static void CheckTimes(Section section, Approval approval)
    {
        var timeout = DurationText.Format(approval.Timeout);
        if (approval.RemindAfter >= approval.Timeout)
        {
            section.Errors.AtValue(section.PathOf("remindAfter"), $"is {DurationText.Format(approval.RemindAfter.Value)}, but the gate closes after {timeout}.",
                "Make it shorter than 'timeout'.");
        }

        for (var index = 0; index < approval.Escalate.Count; index++)
        {
            if (approval.Escalate[index].After >= approval.Timeout)
            {
                section.Errors.AtValue(section.PathOf($"escalate[{index}].after"), $"is {DurationText.Format(approval.Escalate[index].After)}, but the gate closes after {timeout}.",
                    "Make it shorter than 'timeout', or 'timeout' longer.");
            }
        }
    }
}
