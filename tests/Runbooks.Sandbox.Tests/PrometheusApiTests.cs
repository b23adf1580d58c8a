using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Runbooks.Sandbox.Tests;

public sealed class PrometheusApiTests : OnVirtualSandbox
{
    private const string Memory = "100 * max(DCGM_FI_DEV_FB_USED{exported_pod=\"llm-b-0\"} / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE))";
    private const string Stuck = "vllm:num_requests_waiting{pod=\"llm-b-0\"} * (rate(vllm:generation_tokens_total{pod=\"llm-b-0\"}[5m]) == bool 0)";

    private async Task<JsonElement> QueryAsync(string query) =>
        (await JsonAsync($"/prometheus/api/v1/query?query={Uri.EscapeDataString(query)}")).GetProperty("data");

    private async Task<double[]> ValuesAsync(string query) =>
        [.. (await QueryAsync(query)).GetProperty("result").EnumerateArray().Select(item => Number(item.GetProperty("value")[1]))];

    private static double Number(JsonElement text) => double.Parse(text.GetString()!, CultureInfo.InvariantCulture);

    [Fact]
    public async Task Metrics_FollowThePod()
    {
        (await ValuesAsync(Memory)).Single().ShouldBe(98.2, 0.01);
        (await ValuesAsync(Stuck)).ShouldBe([48]);

        await Http.DeleteAsync("/kubernetes/b/api/v1/namespaces/inference/pods/llm-b-0", Cancel);
        Clock.Advance(TimeSpan.FromSeconds(40));

        (await ValuesAsync(Memory)).Single().ShouldBe(92.1, 0.01);
        (await ValuesAsync(Stuck)).ShouldBe([0]);
        (await ValuesAsync("sum(rate(vllm:generation_tokens_total{pod=\"llm-b-0\"}[30s]))")).Single().ShouldBe(900, 60);
    }

    [Fact]
    public async Task PodThatIsAskedFor_IsMeasured() => (await ValuesAsync(Stuck.Replace("llm-b-0", "llm-b-42"))).ShouldBe([48]);

    [Theory]
    [InlineData("vllm:num_requests_waiting{namespace=\"inference\"}", 2)]
    [InlineData("vllm:num_requests_waiting{namespace=\"inference\"} > 40", 1)]
    [InlineData("DCGM_FI_DEV_FB_USED{exported_pod=~\"llm-.*-1\"}", 1)]
    [InlineData("DCGM_FI_DEV_FB_USED{pod=\"llm-b-0\"}", 0)]
    [InlineData("vllm:num_requests_waiting{pod!~\".*-.*\"}", 0)]
    [InlineData("max by (pod) (vllm:num_requests_waiting{namespace=\"inference\"})", 2)]
    [InlineData("sum(up) by (job)", 4)]
    [InlineData("count by (__name__) ({__name__=~\"vllm:num_requests_.*\"})", 2)]
    [InlineData("DCGM_FI_DEV_FB_USED_PERCENT", 0)]
    [InlineData("absent(no_such_metric)", 1)]
    [InlineData("DCGM_FI_DEV_XID_ERRORS > 0", 1)]
    [InlineData("vllm:num_requests_waiting{namespace=\"inference\"} unless vllm:num_requests_waiting == 0", 1)]
    [InlineData("sum by (pod) (vllm:num_requests_running) / on (pod) group_left count by (pod) (vllm:num_requests_running)", 6)]
    [InlineData("histogram_quantile(0.5, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket{pod=\"llm-b-1\"}[5m])))", 1)]
    [InlineData("max_over_time((sum(vllm:num_requests_waiting{pod=\"llm-b-0\"}) > 0)[10m:1m])", 1)]
    [InlineData("topk(1, vllm:num_requests_waiting)", 1)]
    public async Task Vector_HasOneSampleForEachSeries(string query, int samples) => (await ValuesAsync(query)).Length.ShouldBe(samples);

    [Theory]
    [InlineData("42", 42)]
    [InlineData("2 + 3 * 4", 14)]
    [InlineData("-(2 ^ 3 ^ 0)", -2)]
    [InlineData("scalar(vllm:num_requests_waiting{pod=\"llm-b-0\"} offset 1m) % 5", 3)]
    [InlineData("3 > bool 2", 1)]
    public async Task Number_IsAScalar(string query, double value)
    {
        var data = await QueryAsync(query);

        data.GetProperty("resultType").GetString().ShouldBe("scalar");
        Number(data.GetProperty("result")[1]).ShouldBe(value);
    }

    [Fact]
    public async Task FormPost_IsAnsweredLikeAGet()
    {
        var answer = await Http.PostAsync("/prometheus/api/v1/query", new FormUrlEncodedContent([new("query", Stuck)]), Cancel);

        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("\"48\"");
    }

    [Fact]
    public async Task Range_ClimbsUntilThePodHung()
    {
        var now = Clock.GetUtcNow().ToUnixTimeSeconds();

        var data = (await JsonAsync($"/prometheus/api/v1/query_range?query={Uri.EscapeDataString(Memory)}&start={now - 900}&end={now}&step=15")).GetProperty("data");

        data.GetProperty("resultType").GetString().ShouldBe("matrix");
        var values = data.GetProperty("result").EnumerateArray().Single().GetProperty("values").EnumerateArray().Select(point => Number(point[1])).ToList();
        values.Count.ShouldBe(61);
        values[0].ShouldBeLessThan(93);
        values[^1].ShouldBe(98.2, 0.01);
    }

    [Theory]
    [InlineData("query?query=", "no expression found")]
    [InlineData("query?query=max(up", "unexpected end of input")]
    [InlineData("query?query=up%7Bpod%3D%7D", "1:8: parse error: unexpected")]
    [InlineData("query?query=rat(up)", "unknown function with name")]
    [InlineData("query?query=rate(up)", "expected type range vector in call to function")]
    [InlineData("query?query=up%7B%7D%20and%201", "set operator")]
    [InlineData("query?query=%24%24", "unexpected character")]
    [InlineData("query?query=up%7Bpod%3D~%22%28%22%7D", "invalid regular expression")]
    [InlineData("query?query=vllm:num_requests_running%20*%20on(job)%20up", "many-to-many matching not allowed")]
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
    public async Task Federation_HandsOnWhatItHas() =>
        (await Http.GetStringAsync("/prometheus/federate", Cancel)).ShouldContain("vllm:num_requests_waiting{cluster=\"b\",job=\"vllm\",instance=\"10.244.0.3:8000\",namespace=\"inference\",pod=\"llm-b-0\",container=\"vllm\",engine=\"0\",model_name=\"practice-large\"} 48\n");
}
