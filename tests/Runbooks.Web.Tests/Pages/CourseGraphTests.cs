using System.Net.Http.Headers;
using Runbooks.Model.Incidents;
using Runbooks.Web.Pages;
using TestKit;

namespace Runbooks.Web.Tests.Pages;

public sealed class CourseGraphTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    [Fact]
    public void Words_TellEverythingThatIsDrawn() => CourseGraph.Shape.Of(Course()).Description.ShouldBe(
        "Before, from 03:02:00 to 03:12:00: from 90 to 98 %, lowest 90, highest 98. After, from 03:22:00 to 03:32:00: from 40 to 30 %, lowest 30, highest 40. The limit is 95 %. At 03:12:00 the alert came. At 03:14:00 ada approved this.");

    /// <summary>Ten minutes, three days of waiting, ten minutes: the wait must not press the rest flat.</summary>
    [Fact]
    public void LongWait_IsDrawnShortAndMarked()
    {
        var graph = CourseGraph.Shape.Of(Course(later: TimeSpan.FromDays(3)));

        graph.Gaps.ShouldHaveSingleItem();
        var ends = graph.Lines.Select(line => line.Split(' ').Select(point => double.Parse(point.Split(',')[0], System.Globalization.CultureInfo.InvariantCulture)).ToList()).ToList();
        (ends[0][^1] - ends[0][0]).ShouldBeGreaterThan(100);
        (ends[1][^1] - ends[1][0]).ShouldBeGreaterThan(100);
        graph.Caption.ShouldContain("a dotted line stands for a time without values");
    }

    [Fact]
    public void ValuesThatGoOn_AreOneLine()
    {
        var course = FindingCourse.Of(Some.Waiting() with { Findings = [Measured("Full?", 0, 90, 95, 98)], Verification = [Measured("Full?", 5, 95, 98, 40)] }).Single();

        CourseGraph.Shape.Of(course).Lines.ShouldHaveSingleItem().Split(' ').Length.ShouldBe(4);
    }

    [Fact]
    public void MarksOfOneMoment_StandBesideEachOther()
    {
        var course = Course() with { Marks = [.. Enumerable.Range(0, 9).Select(at => new CourseMark(Some.Time.AddMinutes(20), $"{at}"))] };

        var places = CourseGraph.Shape.Of(course).Marks.Select(mark => double.Parse(mark.LabelX, System.Globalization.CultureInfo.InvariantCulture)).ToList();

        places.Zip(places.Skip(1), (one, next) => next - one).ShouldAllBe(distance => distance > 17.5);
        places[^1].ShouldBeLessThanOrEqualTo(352);
    }

    [Fact]
    public async Task Report_IsAPageForABrowserAndADocumentForEverybodyElse()
    {
        var id = await _host.OpenAsync(Some.Waiting() with { Findings = [Measured("Full <b>?", 0, 90, 95, 98)], Verification = [Measured("Full <b>?", 20, 40, 35, 30)] });

        using var browser = new HttpRequestMessage(HttpMethod.Get, $"/incidents/{id}/report");
        browser.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        var page = await (await _host.Browser.SendAsync(browser, Ct)).Content.ReadAsStringAsync(Ct);
        page.ShouldContain("<title id=\"course-memory-title\">Full &lt;b&gt;?</title>");
        page.ShouldContain("<desc id=\"course-memory-desc\">Before, from 03:02:00");
        page.ShouldContain("role=\"img\" aria-labelledby=\"course-memory-title course-memory-desc\"");
        page.ShouldContain("limit 95");

        (await _host.Browser.GetStringAsync($"/incidents/{id}", Ct)).ShouldContain("id=\"course-0-title\"");
        (await _host.Browser.GetAsync($"/incidents/{id}/report", Ct)).Content.Headers.ContentType!.MediaType.ShouldBe("text/markdown");
        using var asked = new HttpRequestMessage(HttpMethod.Get, $"/incidents/{id}/report?as=markdown");
        asked.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        (await _host.Browser.SendAsync(asked, Ct)).Content.Headers.ContentType!.MediaType.ShouldBe("text/markdown");
    }

    private static FindingCourse Course(TimeSpan later = default) => FindingCourse.Of(Some.Waiting() with
    {
        Findings = [Measured("Full?", 0, 90, 95, 98)],
        Verification = [Measured("Full?", 20 + (int)later.TotalMinutes, 40, 35, 30)],
    }).Single() with { Marks = [new(Some.Time, "the alert came"), new(Some.Time.AddMinutes(2), "ada approved this")] };

    private static Finding Measured(string ask, int minute, params double[] values) => new(
        "memory", ask, CheckResult.Failing("x") with { Unit = "%", Threshold = "> 95", Series = values, SeriesSpan = TimeSpan.FromMinutes(10) }, Some.Time.AddMinutes(minute), TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
