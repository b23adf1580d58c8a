using System.Text.RegularExpressions;
using Runbooks.Model.Text;

namespace Runbooks.Model.Tests.Text;

public sealed class SecretFormatsTests
{
    public static TheoryData<string> Samples => [.. new[] { SecretFormats.Tokens(), SecretFormats.MoreTokens(), SecretFormats.Azure() }.SelectMany(OfEachAlternative)];

    /// <summary>A text is searched only where it holds a hint: a shape without one would never be found.</summary>
    [Theory]
    [MemberData(nameof(Samples))]
    public void EachAlternativeAlone_IsHidden(string sample) => Redactor.Redact($"at {sample} end").ShouldStartWith("at •••");

    [Theory]
    [InlineData("https://hooks.slack.com/services/")]
    [InlineData("https://Hooks.Slack.com/triggers/")]
    [InlineData("https://x.webhook.office.com/webhookb2/")]
    [InlineData("https://discord.com/api/webhooks/")]
    [InlineData("https://DiscordApp.com/api/webhooks/")]
    [InlineData("https://chat.googleapis.com/v1/spaces/")]
    public void AddressThatIsASecret_IsHiddenInAnyCase(string address) => Redactor.Redact($"post to {address}T0/B0/x1").ShouldBe($"post to {address}•••");

    [Fact]
    public void Samples_AreOfEachAlternativeWithinOneToo() => Samples.Select(row => row.Data).ShouldContain(sample => sample.StartsWith("shpca_", StringComparison.Ordinal));

    private static IEnumerable<string> OfEachAlternative(Regex shapes)
    {
        var at = 0;
        return Alternatives(shapes.ToString(), ref at);
    }

    /// <summary>One text for each way through groups; of a class its first letter, as often as it has to be there.</summary>
    private static List<string> Alternatives(string pattern, ref int at)
    {
        var (all, current) = (new List<string>(), new List<string> { "" });
        while (at < pattern.Length && pattern[at] != ')')
        {
            if (pattern[at] == '|')
            {
                at++;
                all.AddRange(current);
                current = [""];
                continue;
            }

            var pieces = Piece(pattern, ref at);
            var count = Count(pattern, ref at);
            current = [.. current.SelectMany(begun => pieces.Select(piece => begun + string.Concat(Enumerable.Repeat(piece, count))))];
        }

        return [.. all, .. current];
    }

    private static List<string> Piece(string pattern, ref int at)
    {
        var next = pattern[at++];
        if (next == '(')
        {
            at += "?:".Length;
            var pieces = Alternatives(pattern, ref at);
            at++;
            return pieces;
        }

        if (next == '[')
        {
            var letter = pattern[at] == '\\' ? "a" : $"{pattern[at]}";
            at = pattern.IndexOf(']', at) + 1;
            return [letter];
        }

        return next != '\\' ? [$"{next}"] : [pattern[at++] switch { 'b' => "", 'd' => "0", 'w' => "a", var escaped => $"{escaped}" }];
    }

    private static int Count(string pattern, ref int at)
    {
        switch (at < pattern.Length ? pattern[at] : ' ')
        {
            case '?' or '+':
                at++;
                return 1;
            case '*':
                at++;
                return 0;
            case '{':
                var end = pattern.IndexOf('}', at);
                var least = pattern[(at + 1)..end].Split(',')[0];
                at = end + 1;
                return Math.Max(1, int.Parse(least, System.Globalization.CultureInfo.InvariantCulture));
            default:
                return 1;
        }
    }
}
