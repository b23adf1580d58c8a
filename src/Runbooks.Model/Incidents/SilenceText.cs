using Runbooks.Model.Text;

namespace Runbooks.Model.Incidents;

/// <summary>What happens to many questions when nobody answers: a line for each different end, and first what runs all the same.</summary>
public static class SilenceText
{
    /// <param name="asked">The open questions, each with the title of its runbook.</param>
    public static IReadOnlyList<string> Of(IReadOnlyCollection<(string Title, Gate Gate)> asked)
    {
        var ends = asked.GroupBy(one => GateText.WhenTimeIsUp(one.Gate)).OrderByDescending(end => Silence.MayCount(end.First().Gate)).ToList();
        var several = asked.Select(one => one.Title).Distinct().Count() > 1;
        return [.. ends.Select(end => $"{(ends.Count > 1 ? About([.. end], several) : "")}{GateText.Silence(end.MinBy(one => one.Gate.ExpiresAt).Gate)}")];
    }

    private static string About(IReadOnlyCollection<(string Title, Gate Gate)> some, bool several) =>
        $"{CountText.Format(some.Count, "target")}{(several ? $" of {string.Join(", ", some.Select(one => $"'{one.Title}'").Distinct())}" : "")}: ";
}
