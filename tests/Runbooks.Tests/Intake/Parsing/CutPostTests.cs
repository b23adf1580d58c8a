using System.Text;
using Runbooks.Intake.Parsing;

namespace Runbooks.Tests.Intake.Parsing;

public class CutPostTests
{
    [Theory]
    [InlineData("alertmanager", """{"status":"firing","alerts":[{"labels":{"alertname":"A"}},{"labels":{"alertname":"B","x":[{}]}},{"labels":{"al""", "A,B")]
    [InlineData("alertmanager", """{"alerts":[{"labels":{"alertname":"A"}}],"groupLabels":{"a""", "A")]
    [InlineData("generic", """[{"name":"A"},{"name":"B"},{"name":""", "A,B")]
    [InlineData("generic", """{"name":"A"}   """, "A")]
    [InlineData("generic", """[{"name":"A"},{"name":"B"},oops""", "A,B")]
    public void AlertsBeforeTheCut_AreTaken(string source, string begin, string names) =>
        Readers.BuiltIn.Read(source, CutPost.Close(Encoding.UTF8.GetBytes(begin)).ShouldNotBeNull())
            .Alerts.Select(alert => alert.Name).ShouldBe(names.Split(','));

    [Theory]
    [InlineData("")]
    [InlineData("plain text")]
    [InlineData("""{"alerts":[{"labels":{"alertname":"A" """)]
    [InlineData("""{"labels":{"alerts":[{"a":1}""")]
    public void NothingWholeBeforeTheCut_IsNothing(string begin) => CutPost.Close(Encoding.UTF8.GetBytes(begin)).ShouldBeNull();
}
