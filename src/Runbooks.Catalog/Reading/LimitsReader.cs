using System.Globalization;

namespace Runbooks.Catalog.Reading;

internal static class LimitsReader
{
    private const int MaxTargetsAllowed = 10_000;
    private const int LargestFleet = 1_000_000;

    /// <param name="acts">If the mitigation changes something, 'per' is also used to decide whether a fix lasted.</param>
    public static Limits Read(YamlSection root, bool acts)
    {
        if (root.Sub("limits") is not { } section)
        {
            return new();
        }

        var (second, month) = (TimeSpan.FromSeconds(1), Limits.Longest);
        var limits = new Limits
        {
            MaxRuns = section.Count("maxRuns", 1_000),
            Per = section.Duration("per", second, month) ?? new Limits().Per,
            CoolDown = section.Duration("coolDown", TimeSpan.Zero, month) ?? TimeSpan.Zero,
            SettleFor = section.Duration("settleFor", TimeSpan.Zero, month) ?? TimeSpan.Zero,
            HealthyFor = section.Duration("healthyFor", TimeSpan.Zero, Limits.LongestHealthyFor) ?? Limits.DefaultHealthyFor,
            MaxTargets = ReadTargets(section),
            WhenExceeded = section.Choice("whenExceeded", WhenExceeded.Ask),
        };
        section.RejectOthers();
        var counts = section.Has("maxRuns") || section.Has("maxTargets");
        WarnUnless(counts || acts, "per", "'maxRuns' or 'maxTargets'");
        WarnUnless(counts || limits.CoolDown > TimeSpan.Zero, "whenExceeded", "'maxRuns', 'maxTargets' or 'coolDown'");
        WarnUnless(root.Has("diagnosis"), "healthyFor", "'diagnosis'");
        return limits;

        void WarnUnless(bool isUsed, string key, string needed)
        {
            if (section.Has(key) && !isUsed)
            {
                section.Errors.Warn(
                    WarningCodes.LimitUnused, section.PathOf(key), $"has no effect without {needed}.", $"Add {needed}, or remove '{key}'.");
            }
        }
    }

    /// <summary>A number, or a percentage of a fleet whose size the author gives. Alerts show only the broken targets.</summary>
    private static int? ReadTargets(YamlSection section)
    {
        var text = section.Raw("maxTargets");
        var fleet = section.Count("fleet", LargestFleet);
        if (text?.EndsWith('%') != true)
        {
            if (section.Has("fleet"))
            {
                section.Errors.AtKey(
                    section.PathOf("fleet"), "is not used: 'maxTargets' is no percentage.", "Write 'maxTargets: 10%', or remove 'fleet'.");
            }

            return section.Count("maxTargets", MaxTargetsAllowed, ", or a percentage of 'fleet' such as 10%");
        }

        if (!int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var percent)
            || percent is < 1 or > 100)
        {
            section.Errors.AtValue(section.PathOf("maxTargets"), $"is '{text}'.", "Write a whole percentage from 1% to 100%.");
            return null;
        }

        if (!section.Has("fleet"))
        {
            section.Errors.AtValue(
                section.PathOf("maxTargets"),
                "is a percentage, but of how many targets is not said.",
                "Add 'fleet:' with the number of targets that there are.");
        }

        // Rounded down, but an incident may always act on its own target.
        return fleet is { } size ? (int)Math.Max(1, (long)size * percent / 100) : null;
    }
}
