using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Runbooks.Sandbox.Tests;

public sealed class PrometheusApiTests : OnTheSandbox
{
    private const string Shipped = "max(DCGM_FI_DEV_FB_USED_PERCENT{pod=\"llm-b-0\"})";

    private async Task<JsonElement> QueryAsync(string query) =>
        (await JsonAsync($"/prometheus/api/v1/query?query={Uri.EscapeDataString(query)}")).GetProperty("data");

    private async Task<double[]> ValuesAsync(string query) =>
        [.. (await QueryAsync(query)).GetProperty("result").EnumerateArray().Select(item => Number(item.GetProperty("value")[1]))];

    private static double Number(JsonElement text) => double.Parse(text.GetString()!, CultureInfo.InvariantCulture);

    [Fact]
    public async Task ShippedQuery_FollowsThePod()
    {
        (await ValuesAsync(Shipped)).ShouldBe([98.2]);

        await Http.DeleteAsync("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0", Cancel);
        Clock.Advance(TimeSpan.FromSeconds(3));

        (await ValuesAsync(Shipped)).Single().ShouldBe(41, 2);
    }

    [Fact]
    public async Task PodThatIsAskedFor_IsMeasured() => (await ValuesAsync(Shipped.Replace("llm-b-0", "llm-b-42"))).ShouldBe([98.2]);

    [Theory]
    [InlineData("DCGM_FI_DEV_FB_USED_PERCENT", 2)]
    [InlineData("DCGM_FI_DEV_FB_USED_PERCENT > 95", 1)]
    [InlineData("DCGM_FI_DEV_FB_USED_PERCENT{pod=~\"llm-.*-1\"}", 1)]
    [InlineData("DCGM_FI_DEV_FB_USED_PERCENT{pod!~\"llm.*\"}", 0)]
    [InlineData("max by (pod) (vllm:num_requests_waiting{namespace=\"inference\"})", 2)]
    [InlineData("sum(up) by (cluster)", 1)]
    [InlineData("max(DCGM_FI_DEV_FB_USED_PERCENT{pod=\"nobody\"})", 0)]
    [InlineData("no_such_metric", 0)]
    public async Task Vector_HasOneSampleForEachSeries(string query, int samples) => (await ValuesAsync(query)).Length.ShouldBe(samples);

    [Fact]
    public async Task Number_IsAScalar()
    {
        var data = await QueryAsync("42");

        data.GetProperty("resultType").GetString().ShouldBe("scalar");
        data.GetProperty("result")[1].GetString().ShouldBe("42");
    }

    [Fact]
    public async Task FormPost_IsAnsweredLikeAGet()
    {
        var answer = await Http.PostAsync("/prometheus/api/v1/query", new FormUrlEncodedContent([new("query", Shipped)]), Cancel);

        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("\"98.2\"");
    }

    [Fact]
    public async Task Range_ClimbsUntilThePodHung()
    {
        var now = Clock.GetUtcNow().ToUnixTimeSeconds();

        var data = (await JsonAsync($"/prometheus/api/v1/query_range?query={Uri.EscapeDataString(Shipped)}&start={now - 900}&end={now}&step=15")).GetProperty("data");

        data.GetProperty("resultType").GetString().ShouldBe("matrix");
        var values = data.GetProperty("result").EnumerateArray().Single().GetProperty("values").EnumerateArray().Select(point => Number(point[1])).ToList();
        values.Count.ShouldBe(61);
        values[0].ShouldBeLessThan(60);
        values[^1].ShouldBe(98.2);
    }

    [Theory]
    [InlineData("query?query=", "no expression found")]
    [InlineData("query?query=max(up", "unexpected end of input")]
    [InlineData("query?query=up%7Bpod%3D%7D", "1:8: parse error: unexpected")]
    [InlineData("query?query=rate(up)", "unknown function")]
    [InlineData("query?query=%24%24", "unexpected character")]
    [InlineData("query?query=up%7Bpod%3D~%22%28%22%7D", "invalid regular expression")]
    [InlineData("query?query=up&time=yesterday", "cannot parse")]
    [InlineData("query_range?query=up&start=1&end=2&step=0", "cannot parse")]
    [InlineData("query_range?query=up&start=1&end=100000&step=1", "exceeded maximum resolution")]
    public async Task BadRequest_IsAnsweredAsPrometheusDoes(string path, string words)
    {
        var answer = await Http.GetAsync($"/prometheus/api/v1/{path}", Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        body.ShouldStartWith("{\"status\":\"error\",\"errorType\":\"bad_data\"");
        body.ShouldContain(words);
    }

    [Fact]
    public async Task Metrics_CanBeScraped() =>
        (await Http.GetStringAsync("/prometheus/metrics", Cancel)).ShouldContain("DCGM_FI_DEV_FB_USED_PERCENT{cluster=\"b\",namespace=\"inference\",pod=\"llm-b-0\",gpu=\"0\"} 98.2\n");
}
