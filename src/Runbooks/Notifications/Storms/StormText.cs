namespace Runbooks.Notifications.Storms;

internal static class StormText
{
    private const int LineLength = 500;

    /// <summary>A message names no more targets. The page lists them all.</summary>
    private const int MaxNamed = 300;

    /// <summary>More sentences would bury the rest.</summary>
    private const int MaxSaid = 10;

    /// <summary>Each sentence once, with whom it is about where that is not everybody.</summary>
    public static List<string> Once(IReadOnlyList<Incident> asking, Func<Gate, string?> text) =>
        Once(asking, gate => Lines.Of(text(gate)));

    public static List<string> Once(IReadOnlyList<Incident> asking, Func<Gate, IEnumerable<string>> texts) =>
        Once([.. asking.SelectMany(incident => texts(incident.OpenGate!).Select(text => (incident, text)))], asking.Count);

    public static List<string> Once(IReadOnlyList<(Incident About, string Text)> said, int everybody)
    {
        var same = said.GroupBy(entry => entry.Text, entry => entry.About).OrderByDescending(group => group.Count()).ToList();
        List<string> lines = [.. same.Take(MaxSaid).Select(group => group.Count() == everybody ? group.Key : $"{Who(group)}: {group.Key}")];
        if (same.Count <= MaxSaid)
        {
            return lines;
        }

        var left = same.Skip(MaxSaid).Sum(group => group.Count());
        return [.. lines, $"And {CountText.Format(left, "target")} more."];
    }

    /// <summary>One incident by its target, several by their number.</summary>
    public static string Who(IEnumerable<Incident> incidents) => incidents.ToList() is var all && all.Count == 1
        ? IncidentText.Target(all[0].Target)
        : CountText.Format(all.Count, "target");

    public static List<string> Targets(IEnumerable<Incident> incidents)
    {
        var lines = new List<string>();
        var targets = incidents.Select(incident => IncidentText.Target(incident.Target)).ToList();
        foreach (var target in targets.Take(MaxNamed))
        {
            if (lines.Count > 0 && lines[^1].Length + target.Length + 2 <= LineLength)
            {
                // Not a comma, since a target may have one.
                lines[^1] += $"; {target}";
            }
            else
            {
                lines.Add(target);
            }
        }

        return targets.Count > MaxNamed ? [.. lines, $"And {targets.Count - MaxNamed} more."] : lines;
    }
}
