namespace Runbooks.Sandbox.Tests;

public sealed class GraphPageTests : OnVirtualSandbox
{
    [Fact]
    public async Task Query_IsDrawn() =>
        (await Http.GetStringAsync("/prometheus/graph?g0.expr=DCGM_FI_DEV_FB_USED", Cancel)).ShouldContain("<polyline");

    [Fact]
    public async Task QueryWithMarkup_IsEncoded()
    {
        var page = await Http.GetStringAsync("/prometheus/graph?g0.expr=%3Cscript%3E", Cancel);

        page.ShouldContain("<code>&lt;script&gt;</code>");
        page.ShouldNotContain("<script>");
    }
}
