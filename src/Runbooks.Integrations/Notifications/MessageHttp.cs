using System.Net;
using System.Text.Encodings.Web;

namespace Runbooks.Integrations.Notifications;

/// <summary>Posts a message to a channel's service. Errors do not contain the URL: for some channels it is the secret.</summary>
internal static class MessageHttp
{
    private const int LargestAnswer = 64 * 1024;

    public static async Task<string> PostAsync(
        this HttpClient client,
        Uri to,
        HttpContent content,
        string service,
        CancellationToken cancellationToken,
        params IReadOnlyList<(string Name, string Value)> headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, to) { Content = content };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return answer.IsSuccessStatusCode
                ? await ReadAsync(answer, cancellationToken)
                : throw Refusal(answer, service);
        }
        catch (Exception failed) when (HttpFailure.InWords(service, failed) is { } words)
        {
            throw new DeliveryException(words, transient: true);
        }
    }

    public static Uri Url(string text) =>
        HttpsUrl.TryParse(text, out var url) ? url : throw new DeliveryException("The address is not an https URL.");

    private static DeliveryException Refusal(HttpResponseMessage answer, string service)
    {
        var wait = JsonAnswer.RetryAfter(answer);
        return new(
            $"{service} answered {(int)answer.StatusCode}{(wait is { } after ? $"; it asks to wait {after.TotalSeconds:0} s" : "")}.",
            IsTransient(answer.StatusCode))
        {
            Status = answer.StatusCode,
            RetryAfter = wait,
            IsForm = answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge,
        };
    }

    private static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500;

    private static async Task<string> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[LargestAnswer];
        var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return System.Text.Encoding.UTF8.GetString(buffer, 0, read);
    }
}

internal static class MessageJson
{
    /// <summary>Text outside of ASCII stays readable; what could end a script or an attribute is still escaped.</summary>
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.Create(System.Text.Unicode.UnicodeRanges.All),
        Converters = { CamelCase.Enums },
    };

    public static readonly JsonSerializerOptions Indented =
        new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { CamelCase.Enums } };

    public static HttpContent Content(JsonNode body) => new StringContent(body.ToJsonString(Options), Encoding.UTF8, "application/json");

    public static JsonArray Array(IEnumerable<JsonNode?> nodes) => [.. nodes];
}

internal static class CardText
{
    public const string DryRun = GateText.DryRun;
    private const int MaxLines = 15;

    /// <summary>As long as a note or an instruction may be, because its end may matter most.</summary>
    private const int MaxLine = 1_000;

    /// <summary>
    /// The size of all sections together, in bytes as JSON. Slack refuses a message whose blocks have some 11,000 characters, buttons
    /// included (seen, not documented). A Teams flow refuses one of 28 KB, seen from 21 on, after it has taken it: each line has a frame
    /// of 130 bytes there.
    /// </summary>
    private const int Budget = 8_000;

    private const int Frame = 100;

    /// <summary>Slack takes 50 blocks, and a section has two, more where it is long.</summary>
    private const int MaxSections = 20;

    /// <summary>A section that costs more than this is shortened before another one is left out.</summary>
    private const int Few = 300;

    /// <summary>
    /// The card with as many lines of its sections, and as much of each, as a phone shows and every channel takes. No line has a line
    /// break or what cannot be seen. The longest sections are shortened first, and those that a person needs to answer last: if any of
    /// these is left out or cut, the card has no buttons.
    /// </summary>
    public static Card Fit(Card card)
    {
        List<Part> all = [.. card.Sections.Select(Part.Of).Where(part => part.Lines.Count > 0)];
        List<Part> shown = [.. all];
        var isAll = true;
        while (shown.Sum(part => part.Cost) > Budget || shown.Count > MaxSections)
        {
            var longest = shown.Where(part => !part.Section.IsNeeded).MaxBy(part => part.Cost) ?? shown.MaxBy(part => part.Cost)!;
            if (shown.Count <= MaxSections && longest.Cost > Few && longest.Shorten() is { } shorter)
            {
                shown[shown.IndexOf(longest)] = shorter;
                continue;
            }

            shown.Remove(shown.LastOrDefault(part => !part.Section.IsNeeded) ?? shown[^1]);
            isAll = false;
        }

        var isAnswerable = all.Where(part => part.Section.IsNeeded).All(part => part.IsWhole && shown.Contains(part));
        return (isAnswerable ? card : card.WithoutButtons) with
        {
            Title = CleanText.Line(card.Title),
            Sections = [.. shown.Select(part => part.Shortened), .. isAll ? Array.Empty<CardSection>() : [CardSection.Rest]],
        };
    }

    public static IReadOnlyList<CardSection> Sections(Card card) => Fit(card).Sections;

    public static string Title(Card card, int length = 200) => Clip.To(CleanText.Line(card.Title), length);

    /// <summary>For channels that show a text beside the card: notifications, screen readers.</summary>
    public static string Summary(Card card) => card.DryRun ? $"{DryRun} {Title(card)}" : Title(card);

    private sealed record Part(CardSection Section, IReadOnlyList<string> Lines, int Left)
    {
        /// <summary>A single line that is this short is not cut.</summary>
        private const int ShortLine = 100;

        public int Cost { get; } = Lines
            .Append(Section.Heading)
            .Sum(text => Frame + Encoding.UTF8.GetByteCount(MessageJson.Options.Encoder!.Encode(text)));

        public bool IsWhole => Lines.SequenceEqual(Section.Lines.Where(line => line.Length > 0).Select(CleanText.Line));

        public CardSection Shortened =>
            Section with { Lines = Left == 0 ? Lines : [.. Lines, $"… and {CountText.Format(Left, "more line")}; see the page."] };

        public static Part Of(CardSection section)
        {
            var lines = section.Lines.Where(line => line.Length > 0).ToList();
            return new(
                section,
                [.. lines.Take(MaxLines).Select(line => Clip.To(CleanText.Line(line), MaxLine))],
                Math.Max(0, lines.Count - MaxLines));
        }

        public Part? Shorten() => Lines.Count > 1 ? new(Section, [.. Lines.Take(Lines.Count - 1)], Left + 1)
            : Lines[0].Length > ShortLine ? new(Section, [Clip.To(Lines[0], Lines[0].Length / 2)], Left)
            : null;
    }
}
