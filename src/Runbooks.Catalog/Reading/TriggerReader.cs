using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Reading;

internal static class TriggerReader
{
    /// <summary>Every kind of sender there is; <c>manual</c> is a person who starts the runbook by hand.</summary>
    public static readonly IReadOnlyList<string> Sources = ["azure-monitor", "alertmanager", "grafana", "generic", "manual"];

    public static IReadOnlyList<Trigger> Read(Section root) => [.. root.Items("trigger", required: true).Select(ReadOne)];

    private static Trigger ReadOne(Section section)
    {
        var source = section.Text("source");
        if (source.Length > 0 && !Sources.Contains(source))
        {
            section.Errors.AtValue(section.PathOf("source"), $"is '{Clip.To(source, 80)}', which is no sender.",
                $"{Suggestion.For(source, Sources)}The senders are: {string.Join(", ", Sources)}.");
        }

        var alert = section.Text("alert", longest: 500);
        if (!section.Has("alert"))
        {
            section.Errors.AtKey(section.PathOf("alert"), "is missing.", "Add 'alert:' with the name of the rule, a pattern such as HighLatency_*, or \"*\" for every alert.");
        }

        var trigger = new Trigger(source.Length > 0 ? source : null, alert, section.Words("severity"), section.TextMap("labels"));
        section.RejectOthers();
        return trigger;
    }
}
