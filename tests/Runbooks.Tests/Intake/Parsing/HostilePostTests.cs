using System.Text;
using Runbooks.Intake.Parsing;

namespace Runbooks.Tests.Intake.Parsing;

public class HostilePostTests
{
    public static TheoryData<string> Sources => [.. Readers.BuiltIn.Sources];

    [Theory]
    [MemberData(nameof(Sources))]
    public void NotJson_IsRefusedWithItsPlace(string source)
    {
        Readers.Read(source, "{\n  \"alerts\": [,\n}").Errors.ShouldHaveSingleItem().ToString()
            .ShouldBe("$: not JSON at line 2, byte 14; post one JSON document as UTF-8, nested at most 64 levels");
        Readers.Read(source, " \r\n").Errors.ShouldHaveSingleItem().Found.ShouldBe("empty");
        Readers.Read(source, new string('[', 100) + new string(']', 100)).IsRefused.ShouldBeTrue();
        Readers.BuiltIn.Read(source, Encoding.Unicode.GetBytes("{\"name\":\"x\"}")).IsRefused.ShouldBeTrue();
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void BodyOverTheLimit_IsRefusedUnread(string source) =>
        Readers.BuiltIn.Read(source, new byte[AlertLimits.Body + 1]).Errors.ShouldHaveSingleItem().Found.ShouldBe("1048577 bytes");

    [Fact]
    public void ByteOrderMark_IsSkipped() => Readers.ReadOne("generic", "\uFEFF{\"name\":\"A\"}").Name.ShouldBe("A");

    [Fact]
    public void LargestAlertThatAzureSends_IsRead() =>
        Readers.ReadOne("azure-monitor", $$"""{"data":{"essentials":{"alertRule":"A"},"alertContext":{"SearchQuery":"{{new string('x', 250 * 1024)}}"} } }""")
            .Annotations["searchQuery"].Length.ShouldBe(AlertLimits.AnnotationValue);

    [Theory]
    [InlineData("""a\u0000b""", "a\uFFFDb")]
    [InlineData("""a\ud800b""", "a\uFFFDb")]
    [InlineData("""\udc00\ud800""", "\uFFFD\uFFFD")]
    [InlineData("""\ud83d\ude00""", "\U0001F600")]
    [InlineData("""abc\u202Edef""", "abc\uFFFDdef")]
    [InlineData("""a\u001b[31mb""", "a\uFFFD[31mb")]
    [InlineData("""a\r\nb\tc""", "a b c")]
    [InlineData("""\"\\\/\u0041""", "\"\\/A")]
    public void NastyCharacters_AreMadeVisible(string json, string expected) =>
        Readers.ReadOne("generic", $$"""{"name":"{{json}}"}""").Name.ShouldBe(expected);

    [Fact]
    public void TakingOutACharacter_NeverMakesTheNameOfAnotherPod() =>
        Readers.ReadOne("generic", """{"name":"A","labels":{"pod":"llm-b-\u00000"}}""").Labels["pod"].ShouldBe("llm-b-\uFFFD0");

    /// <summary>Windows PowerShell 5.1 posts so unless it is told otherwise.</summary>
    [Theory]
    [InlineData(null, "Überlast €", "windows-1252")]
    [InlineData("iso-8859-1", "Überlast €", "windows-1252")]
    [InlineData("no-such-charset", "Überlast €", "windows-1252")]
    [InlineData("utf-8", "Überlast €", "windows-1252")]
    [InlineData("utf-16", "Überlast €", "windows-1252")]
    [InlineData("utf-7", "Überlast €", "windows-1252")]
    [InlineData("IBM037", "Überlast €", "windows-1252")]
    [InlineData("windows-1251", "Ьberlast Ђ", "windows-1251")]
    public void PostThatIsNotUtf8_IsReadByItsCharsetAndToldOf(string? charset, string name, string readAs)
    {
        var parsed = Readers.BuiltIn.Read("generic", (byte[])[.. "{\"name\":\""u8, 0xDC, .. "berlast "u8, 0x80, .. "\"}"u8], charset);

        parsed.Alerts.ShouldHaveSingleItem().Name.ShouldBe(name);
        parsed.Warnings.ShouldHaveSingleItem().ToString().ShouldBe($"$: not UTF-8; it was read as {readAs}; post UTF-8 (PowerShell: -ContentType 'application/json; charset=utf-8')");
    }

    [Fact]
    public void PostInUtf8_IsReadAsThatWhateverItsCharset()
    {
        var parsed = Readers.BuiltIn.Read("generic", """{"name":"Überlast"}"""u8.ToArray(), "iso-8859-1");

        (parsed.Alerts.ShouldHaveSingleItem().Name, parsed.Warnings.Count).ShouldBe(("Überlast", 0));
    }

    [Fact]
    public void Utf16_IsRefused() => Readers.BuiltIn.Read("generic", Encoding.Unicode.GetBytes("""{"name":"Überlast"}"""), "utf-16").IsRefused.ShouldBeTrue();

    [Fact]
    public void CutText_NeverEqualsAnotherValue()
    {
        var longest = new string('p', AlertLimits.LabelValue);

        Label(longest).ShouldBe(longest);
        Label(longest + "q").ShouldEndWith("p…");
        Label(longest + "q").Length.ShouldBe(AlertLimits.LabelValue);

        static string Label(string value) => Readers.ReadOne("generic", $$"""{"name":"A","labels":{"pod":"{{value}}"} }""").Labels["pod"];
    }

    [Fact]
    public void LongFingerprints_StayDifferent()
    {
        var common = new string('f', AlertLimits.Fingerprint);

        Fingerprint(common + "1").ShouldNotBe(Fingerprint(common + "2"));
        Fingerprint(common + "1").Length.ShouldBeLessThan(AlertLimits.Fingerprint);

        static string Fingerprint(string text) => Readers.ReadOne("generic", $$"""{"name":"A","fingerprint":"{{text}}"}""").Fingerprint;
    }

    [Fact]
    public void TooManyLabels_AreLeftOut()
    {
        var labels = string.Join(',', Enumerable.Range(0, 5000).Select(n => $"\"l{n}\":\"v\""));

        var alert = Readers.ReadOne("alertmanager", $$"""{"alerts":[{"labels":{"alertname":"A",{{labels}} },"annotations":{ {{labels}} } }]}""");

        alert.Labels.Count.ShouldBe(AlertLimits.Labels);
        alert.Annotations.Count.ShouldBe(AlertLimits.Annotations);
        alert.Labels.ShouldContainKey("alertname");
    }

    [Theory]
    [InlineData(1000, 0)]
    [InlineData(1001, 1)]
    [InlineData(1500, 500)]
    public void TooManyAlerts_TheFirstAreTakenAndTheRestIsCounted(int count, int lost)
    {
        var parsed = Readers.Read("alertmanager", $$"""{"alerts":[{{string.Join(',', Enumerable.Repeat("""{"labels":{"alertname":"A"}}""", count))}}]}""");

        parsed.Alerts.Count.ShouldBe(1000);
        parsed.Lost.ShouldBe(lost);
        parsed.Errors.Select(error => error.ToString()).ShouldBe(
            lost == 0 ? [] : [$"$.alerts: {count} alerts, of which the first 1000 were read; send at most 1000 in one post (Alertmanager: a finer group_by)"]);
    }

    [Fact]
    public void ManyBadAlerts_AreNotAllListed() =>
        Readers.Read("generic", $"[{string.Join(',', Enumerable.Repeat("1", 900))}]").Errors.Count.ShouldBe(AlertLimits.Errors);

    [Theory]
    [InlineData("https://example.org/a?b=c#d", "https://example.org/a?b=c#d")]
    [InlineData("HTTP://EXAMPLE.org", "http://example.org/")]
    [InlineData("javascript:alert(1)", null)]
    [InlineData("data:text/html,x", null)]
    [InlineData("file:///etc/passwd", null)]
    [InlineData("//example.org", null)]
    [InlineData("/relative", null)]
    [InlineData("https://bank.example@evil.example/", null)]
    [InlineData("https://example.org/\\u0000", "https://example.org/%EF%BF%BD")]
    [InlineData("https://example.org/\\u003cscript\\u003e", "https://example.org/%3Cscript%3E")]
    public void Link_IsHttpOrNothing(string link, string? expected) =>
        Readers.ReadOne("generic", $$"""{"name":"A","link":"{{link}}"}""").Link.ShouldBe(expected);

    [Theory]
    [InlineData("{\"name\":\"A\",\"labels\":{FILL}}", "\"l#\":1,", "\"z\":1")]
    [InlineData("{\"name\":\"A\",\"labels\":[FILL]}", "{\"name\":\"#\"},", "1")]
    [InlineData("{\"name\":\"A\",\"labels\":{\"a\":[FILL]}}", "1,", "1")]
    [InlineData("{\"name\":\"A\",\"summary\":\"FILL\"}", "\\ud800", "")]
    [InlineData("{\"data\":{\"essentials\":{\"alertRule\":\"A\",FILL}}}", "\"#\":1,", "\"z\":1")]
    [InlineData("{\"data\":{\"essentials\":{\"alertRule\":\"A\",\"alertTargetIDs\":[FILL]}}}", "\"/subscriptions/#\",", "1")]
    [InlineData("{\"data\":{\"essentials\":{\"alertRule\":\"A\"},\"alertContext\":{\"condition\":{\"allOf\":[FILL]}}}}", "{\"dimensions\":[{\"name\":\"#\",\"value\":1}]},", "1")]
    [InlineData("{\"data\":{\"essentials\":{\"alertRule\":\"A\"},\"alertContext\":{\"operationName\":\"o\",\"properties\":{\"impactedServices\":\"[FILL]\"}}}}", "{\\\"ServiceName\\\":#},", "1")]
    public void LargestPosts_CostLittleMemory(string frame, string part, string last)
    {
        var fill = new StringBuilder();
        for (var n = 0; fill.Length < AlertLimits.Body - 200; n++)
        {
            fill.Append(part.Replace("#", n.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));
        }

        var body = Encoding.UTF8.GetBytes(frame.Replace("FILL", fill.Append(last).ToString(), StringComparison.Ordinal));
        var source = frame.StartsWith("{\"data\"", StringComparison.Ordinal) ? "azure-monitor" : "generic";
        body.Length.ShouldBeLessThanOrEqualTo(AlertLimits.Body);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Readers.BuiltIn.Read(source, body).Alerts.ShouldHaveSingleItem();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(64L * AlertLimits.Body);
    }
}
