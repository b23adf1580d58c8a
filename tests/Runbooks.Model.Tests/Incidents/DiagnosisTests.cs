using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

public sealed class DiagnosisTests
{
    /// <param name="answers"><c>p</c> passes, <c>c</c> passes with a caveat, <c>f</c> fails, <c>u</c> is unknown.</param>
    [Theory]
    [InlineData(Quantifier.Any, "pp", Conclusion.Healthy)]
    [InlineData(Quantifier.Any, "pc", Conclusion.Unclear)]
    [InlineData(Quantifier.Any, "pu", Conclusion.Unclear)]
    [InlineData(Quantifier.Any, "cf", Conclusion.Failing)]
    [InlineData(Quantifier.All, "ff", Conclusion.Failing)]
    [InlineData(Quantifier.All, "fp", Conclusion.Healthy)]
    [InlineData(Quantifier.All, "fc", Conclusion.Unclear)]
    [InlineData(Quantifier.All, "cp", Conclusion.Healthy)]
    [InlineData(Quantifier.All, "cc", Conclusion.Unclear)]
    public void PassWithACaveat_IsNoSignOfHealthByItself(Quantifier quantifier, string answers, Conclusion conclusion) =>
        Diagnosis.Conclude(When(quantifier), Findings(answers)).ShouldBe(conclusion);

    [Theory]
    [InlineData("pc", Conclusion.Healthy)]
    [InlineData("uc", Conclusion.Unclear)]
    [InlineData("fc", Conclusion.Failing)]
    public void PassWithACaveat_IsEnoughWhereTheSenderSaysThatItIsOver(string answers, Conclusion conclusion) =>
        Diagnosis.Conclude(When(Quantifier.Any), Findings(answers), isOver: true).ShouldBe(conclusion);

    [Theory]
    [InlineData("pc", "'b' passes without a request to show it: that does not show that all is well.")]
    [InlineData("cc", "'a' passes without a request to show it, 'b' passes without a request to show it: that does not show that all is well.")]
    [InlineData("uc", "Not every check could be answered, and none of the answered ones failed.")]
    public void Unclear_SaysWhy(string answers, string why) => Diagnosis.WhyUnclear(When(Quantifier.Any), Findings(answers)).ShouldBe(why);

    private static Condition When(Quantifier quantifier) => new(quantifier, ["a", "b"]);

    private static List<Finding> Findings(string answers) => [.. answers.Select((answer, at) => Some.Finding($"{(char)('a' + at)}") with
    {
        Result = new CheckResult(answer switch { 'f' => Verdict.Failing, 'u' => Verdict.Unknown, _ => Verdict.Passing }, "So it is.") { Caveat = answer == 'c' ? "without a request to show it" : null },
    })];
}
