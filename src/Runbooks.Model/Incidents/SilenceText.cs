using Runbooks.Model.Text;

namespace Runbooks.Model.Incidents;

/// <summary>What happens to many questions when nobody answers: a line for each runbook and each different end, and first what runs all the same.</summary>
public static class SilenceText
{
    /// <param name="asked">The open questions, each with the title of its runbook.</param>
    public static IReadOnlyList<string> Of(IReadOnlyCollection<(string Title, Gate Gate)> asked)
    {
        var ends = asked.GroupBy(one => (one.Title, End: GateText.WhenTimeIsUp(one.Gate)), one => one.Gate).OrderByDescending(end => Silence.MayCount(end.First())).ToList();
        var several = ends.DistinctBy(end => end.Key.Title).Count() > 1;
        return [.. ends.Select(end => $"{(ends.Count > 1 ? $"{CountText.Format(end.Count(), "target")}{(several ? $" of '{end.Key.Title}'" : "")}{First(end)}: " : "")}{GateText.Silence(end.MinBy(gate => gate.ExpiresAt)!)}")];
    }

    /// <summary>The others of them have a little longer.</summary>
    private static string First(IEnumerable<Gate> gates) => gates.DistinctBy(gate => gate.ExpiresAt).Count() > 1 ? ", the first of them" : "";
}
