using System.Globalization;
using Runbooks.Model.Definition;

namespace Runbooks.Catalog.Reading;

/// <summary>Reads <c>limits</c>.</summary>
internal static class LimitsReader
{
    private const int MostTargets = 10_000;
    private const int LargestFleet = 1_000_000;

    public static Limits Read(Section root)
    {
        if (root.Sub("limits") is not { } section)
        {
            return new();
        }

        var (second, month) = (TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));
        var limits = new Limits
        {
            MaxRuns = section.Whole("maxRuns", 1, 1_000),
            Per = section.Duration("per", second, month) ?? new Limits().Per,
            CoolDown = section.Duration("coolDown", TimeSpan.Zero, month) ?? TimeSpan.Zero,
            SettleFor = section.Duration("settleFor", TimeSpan.Zero, month) ?? TimeSpan.Zero,
            MaxTargets = ReadTargets(section),
            WhenExceeded = section.Choice("whenExceeded", WhenExceeded.Ask),
        };
        section.RejectOthers();
        return limits;
    }

    /// <summary>A number, or a part of a fleet whose size the author knows: alerts show only the targets that are ill.</summary>
    private static int? ReadTargets(Section section)
    {
        var text = section.Raw("maxTargets");
        var fleet = section.Whole("fleet", 1, LargestFleet);
        if (text?.EndsWith('%') != true)
        {
            if (section.Has("fleet"))
            {
                section.Errors.AtKey(section.PathOf("fleet"), "is not used: 'maxTargets' is no percentage.", "Write 'maxTargets: 10%', or remove 'fleet'.");
            }

            return section.Whole("maxTargets", 1, MostTargets);
        }

        if (!int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) || percent is < 1 or > 100)
        {
            section.Errors.AtValue(section.PathOf("maxTargets"), $"is '{text}'.", "Write a whole percentage from 1% to 100%.");
            return null;
        }

        if (!section.Has("fleet"))
        {
            section.Errors.AtValue(section.PathOf("maxTargets"), "is a percentage, but of how many targets is not said.", "Add 'fleet:' with the number of targets that there are.");
        }

        // Rounded down, but an incident may always act on its own target.
        return fleet is { } size ? (int)Math.Max(1, (long)size * percent / 100) : null;
    }
}
